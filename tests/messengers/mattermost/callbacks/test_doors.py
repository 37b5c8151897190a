from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient
from malexbot.messengers.mattermost.callbacks.doors import WAIT_S
from malexbot.ports import Call
from tests.messengers.mattermost.callbacks.calls import (
    PUBLIC_URL,
    Backend,
    Recorded,
    anew,
    fields_of,
    named,
    recordings,
    with_fields,
)

TYPES = {
    "/slash": "command",
    "/actions": "button",
    "/dialogs": "dialog",
    "/hooks/outgoing": "hook",
}
# A menu in which nothing was chosen: the server sends it, and it means nothing.
NOTHING_CHOSEN = "40_action_select_no_value"
SAID = {"message": "fine"}
ONE_OF_EACH = ("01_slash", "30_action", "64_dialog", "74_outgoing")


def allowed(backend: Backend, part: str) -> Call:
    return backend.allow(anew(named(part)))


@pytest.mark.parametrize(
    "recorded",
    [each for each in recordings() if each.name != NOTHING_CHOSEN],
    ids=lambda recorded: recorded.name,
)
def test_each_recorded_call_of_other_values_is_an_event(
    backend: Backend, recorded: Recorded
) -> None:
    call = backend.allow(anew(recorded))
    fields = fields_of(call)
    assert backend.told(call) == {}
    event = backend.event
    assert event.name == event.event_type == TYPES[call.path]
    assert (event.user.uuid, event.peer.bpid) == (
        fields["user_id"],
        fields["channel_id"],
    )
    assert event.user.nick == fields.get("user_name", "zoe")
    assert event.peer.name == fields.get("channel_name", "harbour")
    assert event.data.get("team_id", "") == fields["team_id"]
    assert event.data.get("trigger_id") == fields.get("trigger_id")
    if event.command:
        assert event.command.name == fields["command"]
        assert event.command.text == fields["text"]
        assert event.data["response_url"] == fields["response_url"]
    if event.button:
        assert event.button.cmid == fields["post_id"]
        assert event.data.get("choice") == fields["context"].get("selected_option")
    if event.form:
        assert event.form.values == fields["submission"]
        assert event.form.is_cancelled == fields["cancelled"]
    if event.message:
        assert (event.message.cmid, event.message.text) == (
            fields["post_id"],
            fields["text"],
        )
    assert "alice" not in str(event) and "bob" not in str(event.user)


def test_a_menu_in_which_nothing_was_chosen_is_refused(backend: Backend) -> None:
    assert backend.knock(allowed(backend, NOTHING_CHOSEN)).status == 401
    assert backend.desk.events == []


@pytest.mark.parametrize(
    ("part", "answer", "told"),
    [
        ("01_slash", SAID, {"response_type": "ephemeral", "text": "fine"}),
        (
            "02_slash",
            {**SAID, "in_channel": True},
            {"response_type": "in_channel", "text": "fine"},
        ),
        ("41_action", SAID, {"ephemeral_text": "fine"}),
        (
            "42_action",
            {"update": {"message": "done", "cards": []}},
            {"update": {"message": "done", "props": {"from_bot": "true"}}},
        ),
        ("65_dialog", {"errors": {"nm": "too short"}}, {"errors": {"nm": "too short"}}),
        ("66_dialog", {"error": "no"}, {"error": "no"}),
        ("75_outgoing", SAID, {"response_type": "comment", "text": "fine"}),
        ("73_outgoing", {**SAID, "in_channel": True}, {"response_type": "post"}),
    ],
)
def test_the_answer_is_what_the_server_takes_there(
    backend: Backend, part: str, answer: dict[str, Any], told: dict[str, Any]
) -> None:
    backend.desk.answer = answer
    found = backend.told(allowed(backend, part))
    assert {name: found.get(name) for name in told} == told


def test_the_desk_learns_that_its_answer_was_written(backend: Backend) -> None:
    answered = backend.knock(allowed(backend, "01_slash"))
    assert backend.desk.written == []
    answered.on_written()
    assert backend.desk.written == [backend.event.event_id]


@pytest.mark.parametrize("part", ONE_OF_EACH[1:])
def test_what_else_takes_longer_is_taken(backend: Backend, part: str) -> None:
    backend.desk.answer = None
    assert backend.told(allowed(backend, part)) == {}


def test_nobody_waits_longer_than_a_trigger_lives(backend: Backend) -> None:
    backend.told(allowed(backend, "30_action"))
    (wait_s,) = backend.desk.waits
    assert 0 < wait_s <= WAIT_S < 3


@pytest.mark.parametrize("part", ONE_OF_EACH)
def test_what_finds_no_room_comes_again(backend: Backend, part: str) -> None:
    backend.desk.error = Transient("full")
    answered = backend.knock(allowed(backend, part))
    assert answered.status == 503
    assert answered.retry_after_s
    assert answered.body


@pytest.mark.parametrize("part", ONE_OF_EACH[:3])
def test_while_nothing_can_be_looked_up_it_comes_again(
    backend: Backend, part: str
) -> None:
    call = allowed(backend, part)
    backend.grants.fail = _away
    backend.commands.is_away = True
    assert backend.knock(call).status == 503


def _away(door: str) -> None:
    raise Transient("the database is away")


@pytest.mark.parametrize("part", ONE_OF_EACH)
def test_a_fault_is_no_end(
    backend: Backend, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend.desk.error = ZeroDivisionError("oops")
    answered = backend.knock(allowed(backend, part))
    assert answered.status == 500
    assert b"oops" not in answered.body
    assert "oops" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "x", "cards": [{"controls": [{"action": "a_b", "ref": "r"}]}]},
        {"message": "x", "cards": "no cards"},
    ],
)
def test_an_answer_that_cannot_be_written_is_not_asked_for_again(
    backend: Backend, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The event is taken: an error would make a person do it twice."""
    backend.desk.answer = answer
    answered = backend.knock(allowed(backend, "01_slash"))
    assert (answered.status, answered.body) == (200, b"{}")
    assert backend.event.event_id in caplog.text
    answered.on_written()
    assert backend.desk.written == [], "it was not the answer that was written"


def test_half_a_character_costs_no_answer(backend: Backend) -> None:
    backend.desk.answer = {"message": "a\ud800b\0c"}
    call = allowed(backend, "01_slash")
    assert json.loads(backend.knock(call).body)["text"] == "a\ud800b\ufffdc"


def test_buttons_of_an_answer_lead_to_us(backend: Backend) -> None:
    control = {"kind": "button", "action": "ok", "label": "OK", "ref": "ab" * 16}
    backend.desk.answer = {"message": "sure?", "cards": [{"controls": [control]}]}
    told = backend.told(allowed(backend, "01_slash"))
    (attachment,) = told["attachments"]
    (action,) = attachment["actions"]
    assert action["integration"]["url"] == f"{PUBLIC_URL}/actions"


@pytest.mark.parametrize("part", ONE_OF_EACH)
def test_two_equal_calls_are_two_events(backend: Backend, part: str) -> None:
    call = allowed(backend, part)
    backend.told(call)
    backend.told(call)
    first, second = backend.desk.events
    assert first.event_id != second.event_id
    assert len(first.event_id) == 32


def _forged(backend: Backend, part: str) -> Call:
    """A call that knows everything but the secret."""
    call = allowed(backend, part)
    wrong: dict[str, dict[str, Any]] = {
        "/slash": {"token": "wrong"},
        "/actions": {"context": {"ref": "f" * 32}},
        "/dialogs": {"state": "f" * 32},
        "/hooks/outgoing": {"token": "wrong"},
    }
    return with_fields(call, **wrong[call.path])


@pytest.mark.parametrize("part", ONE_OF_EACH)
def test_a_forged_call_is_refused_without_a_hint(
    backend: Backend, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    call = _forged(backend, part)
    answered = backend.knock(call)
    assert (answered.status, answered.body) == (401, b"{}")
    assert backend.desk.events == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    told = record.getMessage()
    fields = fields_of(call)
    assert fields["user_id"] in told and fields["channel_id"] in told
    assert call.remote in told and call.path in told
    assert "wrong" not in told and "f" * 32 not in told


def test_a_flood_of_forged_calls_is_no_flood_of_the_log(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    call = _forged(backend, "01_slash")
    for _ in range(200):
        assert backend.knock(call).status == 401
    assert len(caplog.records) < 30


@pytest.mark.parametrize("part", ONE_OF_EACH)
@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b'{"a":' * 100_000, b"a=b&" * 10_000],
)
def test_what_is_no_call_is_refused(backend: Backend, part: str, body: bytes) -> None:
    call = allowed(backend, part)._replace(body=body)
    assert backend.knock(call).status in (400, 401)
    assert backend.desk.events == []


@pytest.mark.parametrize("part", ONE_OF_EACH)
@pytest.mark.parametrize("name", ["user_id", "channel_id"])
@pytest.mark.parametrize("value", [None, "", "a/b", "a" * 100, "é", "a\nb"])
def test_ids_are_ids(backend: Backend, part: str, name: str, value: Any) -> None:
    call = with_fields(allowed(backend, part), **{name: value})
    assert backend.knock(call).status in (400, 401)
    assert backend.desk.events == []


def test_without_an_address_of_ours_nothing_with_buttons_is_said() -> None:
    from malexbot.messengers.mattermost.forms import attachments

    control = {"kind": "button", "action": "ok", "label": "OK", "ref": "ab" * 16}
    with pytest.raises(Permanent, match="public_url"):
        attachments([{"controls": [control]}], "")


def test_other_tokens_count_once_they_are_adopted(backend: Backend) -> None:
    call = anew(named("74_outgoing"))
    settings = backend.server.settings
    fresh = type(settings).model_validate(
        {
            "http_host": "x",
            "token": "b0t",
            "outgoing_tokens": {"ops": "fresh"},
            "incoming_webhooks": {"ops": "https://x/hooks/y"},
        }
    )
    backend.server.adopt(fresh)
    assert backend.server.chat.webhooks == {"ops": "https://x/hooks/y"}
    assert backend.knock(call).status == 401
    assert backend.knock(with_fields(call, token="fresh")).status == 200
    backend.server.adopt(settings)
    assert backend.knock(call).status == 200
