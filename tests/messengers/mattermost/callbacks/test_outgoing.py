from __future__ import annotations

from typing import Any

import pytest

from malexbot.messengers.mattermost.callbacks.doors import RETRY_AFTER_S
from malexbot.ports import Call
from tests.messengers.mattermost.callbacks.calls import (
    Backend,
    anew,
    fields_of,
    named,
    with_fields,
)
from tests.messengers.mattermost.scripted import Scripted, answer

FORMS = ("73_outgoing_form", "74_outgoing_json")


@pytest.mark.parametrize(("part", "hook"), [(FORMS[0], "form"), (FORMS[1], "json")])
def test_it_is_told_which_hook_it_was(backend: Backend, part: str, hook: str) -> None:
    call = anew(named(part))
    backend.told(call)
    event = backend.event
    assert event.data["hook"] == hook
    assert event.data["path"] == "/outgoing"
    assert event.data.get("trigger_word", "") == fields_of(call)["trigger_word"]
    assert event.lane.endswith(fields_of(call)["channel_id"])


def test_files_are_named(backend: Backend) -> None:
    call = anew(named("78_outgoing_form_with_file"))
    backend.told(call)
    assert backend.event.data["file_ids"] == fields_of(call)["file_ids"]


def test_the_bot_does_not_hear_itself(backend: Backend) -> None:
    call = anew(named("76_outgoing_bots_own"))
    backend.told(call)
    backend.server.client.link.own_id = fields_of(call)["user_id"]
    assert backend.told(call) == {}
    assert len(backend.desk.events) == 1
    assert backend.knock(with_fields(call, token="wrong")).status == 401


def test_whose_it_is_has_to_be_known_before_it_is_taken_in(backend: Backend) -> None:
    call = anew(named("76_outgoing_bots_own"))
    backend.server.client.link.own_id = ""
    answered = backend.knock(call)
    assert (answered.status, answered.retry_after_s) == (503, RETRY_AFTER_S)
    assert backend.knock(with_fields(call, token="wrong")).status == 401
    assert backend.desk.events == []


@pytest.mark.parametrize("is_ours", [True, False])
def test_the_server_is_asked_once_who_the_bot_is(is_ours: bool) -> None:
    call = anew(named("76_outgoing_bots_own"))
    own_id = fields_of(call)["user_id"] if is_ours else "the-bot"
    with Scripted(answer("200 OK", b'{"id": "%s"}' % own_id.encode())) as server:
        backend = Backend(f"http://127.0.0.1:{server.port}")
        backend.server.client.link.own_id = ""
        for _ in range(2):
            assert backend.told(call) == {}
        backend.close()
    assert len(backend.desk.events) == (0 if is_ours else 2)
    assert len(server.requests) == 1


@pytest.mark.parametrize("part", FORMS)
@pytest.mark.parametrize("token", [None, "", "wrong", "json", 7])
def test_another_token_is_refused(backend: Backend, part: str, token: Any) -> None:
    call: Call = with_fields(anew(named(part)), token=token)
    assert backend.knock(call).status in (400, 401)
    assert backend.desk.events == []


@pytest.mark.parametrize("part", FORMS)
def test_the_token_is_nowhere_in_the_event(backend: Backend, part: str) -> None:
    call = anew(named(part))
    backend.told(call)
    assert fields_of(call)["token"] not in str(backend.event)


def test_without_a_hook_in_the_settings_every_token_is_wrong() -> None:
    from malexbot.messengers.mattermost.callbacks.tokens import HookTokens

    assert HookTokens(dict).name("") == ""
    assert HookTokens(dict).name("x") == ""
