from __future__ import annotations

from typing import Any

import pytest

from malexbot.messengers.mattermost.callbacks.reading import MOST_FIELDS
from malexbot.ports import Call
from tests.messengers.mattermost.callbacks.calls import (
    Backend,
    anew,
    fields_of,
    named,
    other_id,
    with_fields,
)


@pytest.fixture
def call(backend: Backend) -> Call:
    return backend.allow(anew(named("01_slash")))


@pytest.fixture
def got(backend: Backend) -> Call:
    return backend.allow(anew(named("15_slash_get")))


def shown(call: Call, token: str | None, header: str | None) -> Call:
    """The call with this token in its form and this header."""
    headers = {k: v for k, v in call.headers.items() if k != "authorization"}
    if header is not None:
        headers["authorization"] = header
    return with_fields(call, token=token)._replace(headers=headers)


def test_who_is_named_in_the_text_is_told_with_the_ids(
    backend: Backend, call: Call
) -> None:
    backend.told(call)
    fields = fields_of(call)
    assert backend.event.data["mentions"] == {"bob": fields["user_mentions_ids"]}
    assert list(backend.event.data["channel_mentions"]) == ["harbour"]


def test_the_text_is_kept_as_it_was_written(backend: Backend, call: Call) -> None:
    text = "  first line\nsecond & line =  ü 😀 "
    backend.told(with_fields(call, text=text))
    assert backend.event.command is not None
    assert backend.event.command.text == text


def test_a_nul_is_no_end(backend: Backend, call: Call) -> None:
    backend.told(with_fields(call, text="a\0b"))
    assert backend.event.command is not None
    assert backend.event.command.text == "a\ufffdb"


def test_the_thread_is_told_by_servers_that_know_it(
    backend: Backend, call: Call
) -> None:
    root = other_id("root")
    backend.told(with_fields(call, root_id=root))
    assert backend.event.data["root_id"] == root


def test_a_direct_channel_is_known_by_its_name(backend: Backend) -> None:
    call = backend.allow(anew(named("13_slash_in_dm")))
    backend.told(call)
    assert backend.event.data["channel_type"] == "D"


def test_other_channels_are_not(backend: Backend, call: Call) -> None:
    backend.told(call)
    assert "channel_type" not in backend.event.data


def test_no_secret_is_in_what_is_kept(backend: Backend, call: Call) -> None:
    backend.told(call)
    token = fields_of(call)["token"]
    assert token not in str(backend.event)
    assert fields_of(call)["response_url"] not in backend.event.raw.decode()


def test_a_query_of_the_url_is_no_part_of_the_form(
    backend: Backend, call: Call
) -> None:
    backend.told(call._replace(query="command=%2Fother&user_id=x&token=y"))
    assert backend.event.command is not None
    assert backend.event.command.name == fields_of(call)["command"]


def test_what_the_url_had_of_itself_stands_behind_what_the_server_adds(
    backend: Backend, got: Call
) -> None:
    backend.told(got._replace(query=f"text=mine&{got.query}"))
    assert backend.event.command is not None
    assert backend.event.command.text == fields_of(got)["text"]


def test_the_header_may_be_that_of_an_oauth_connection(
    backend: Backend, call: Call
) -> None:
    token = fields_of(call)["token"]
    assert backend.knock(shown(call, token, "Bearer of-the-proxy")).status == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("token", "header"),
    [
        ("right", "Token wrong"),
        ("right", "Token "),
        ("right", None),
        ("right", ""),
        ("wrong", "Token right"),
        ("wrong", "Token wrong"),
        ("wrong", "Bearer right"),
        ("", "Token right"),
        ("", "Token "),
        ("", None),
        (None, "Token right"),
        (None, None),
        ("right ", "Token right"),
        ("RIGHT", "Token RIGHT"),
        ("é", "Token é"),
    ],
)
def test_header_and_form_have_the_token_of_the_command(
    backend: Backend,
    call: Call,
    got: Call,
    method: str,
    token: str | None,
    header: str | None,
) -> None:
    knocking = call if method == "POST" else got
    backend.commands.kept.clear()
    backend.keep_token(fields_of(knocking), token="right")
    assert backend.knock(shown(knocking, "right", "Token right")).status == 200
    assert backend.knock(shown(knocking, token, header)).status == 401
    assert len(backend.desk.events) == 1


@pytest.mark.parametrize(
    "change",
    [{"command": "/other"}, {"team_id": other_id("another team")}, {"team_id": ""}],
)
def test_the_token_of_one_command_of_one_team_is_no_other_s(
    backend: Backend, call: Call, change: dict[str, Any]
) -> None:
    other = with_fields(call, **change)
    if change.get("command"):
        backend.keep_token(fields_of(other), token="of-the-other")
    assert backend.knock(other).status == 401


def test_a_command_that_is_taken_back_is_refused(backend: Backend, call: Call) -> None:
    backend.commands.kept.clear()
    assert backend.knock(call).status == 401


@pytest.mark.parametrize(
    ("command", "team", "token", "status"),
    [
        ("/byhand", "crew", "Hand-Made-1", 200),
        ("/byhand", "other", "Hand-Made-1", 200),
        ("/ByHand", "crew", "Hand-Made-1", 200),
        ("/byhand", "crew", "hand-made-1", 401),
        ("/byhand", "crew", "Hand-Made-2", 401),
        ("/inteam", "crew", "Hand-Made-2", 200),
        ("/inteam", "other", "Hand-Made-2", 401),
        ("/crew/inteam", "other", "Hand-Made-2", 400),
        ("/unknown", "crew", "Hand-Made-1", 401),
    ],
)
def test_tokens_of_commands_made_by_hand_count(
    backend: Backend, call: Call, command: str, team: str, token: str, status: int
) -> None:
    told = with_fields(call, command=command, team_domain=team)
    assert backend.knock(shown(told, token, f"Token {token}")).status == status


@pytest.mark.parametrize("command", [None, "", "/", "/a b", "/a\nb", "/" + "a" * 300])
def test_a_command_has_a_name(backend: Backend, call: Call, command: str) -> None:
    assert backend.knock(with_fields(call, command=command)).status == 400


def test_a_form_of_ten_thousand_fields_is_refused(backend: Backend, call: Call) -> None:
    more = b"".join(b"&x%d=1" % number for number in range(10_000))
    assert backend.knock(call._replace(body=call.body + more)).status == 400
    few = b"&x=1" * (MOST_FIELDS - 20)
    assert backend.knock(call._replace(body=call.body + few)).status == 200
