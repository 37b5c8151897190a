from __future__ import annotations

from typing import Any

import pytest

from malexbot.ports import Call
from tests.messengers.mattermost.callbacks.calls import (
    Backend,
    anew,
    fields_of,
    named,
    with_fields,
)

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
