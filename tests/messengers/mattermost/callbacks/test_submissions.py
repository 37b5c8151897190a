from __future__ import annotations

from typing import Any

import pytest

from malexbot.ports import Call
from malexbot.ports.grants import field_option
from tests.messengers.mattermost.callbacks.calls import (
    REF,
    Backend,
    anew,
    fields_of,
    named,
    other_id,
    with_fields,
)

STRANGER = other_id("a stranger")


@pytest.fixture
def call() -> Call:
    """A dialog of ours that is filled in, for which nothing is granted yet."""
    recorded = anew(named("64_dialog"))
    return with_fields(recorded, state=REF, callback_id="request")


@pytest.fixture
def user(call: Call) -> str:
    return str(fields_of(call)["user_id"])


def granted(backend: Backend, user: str, **changes: Any) -> None:
    told = {"kind": "dialog", "action": "rota.request", "users": (user,), **changes}
    backend.grant(**told)


def test_what_was_written_is_told(backend: Backend, call: Call, user: str) -> None:
    granted(backend, user)
    backend.told(call)
    form = backend.event.form
    assert form is not None
    assert form.name == "rota.request"
    assert form.payload == {"n": 7}
    assert form.values["nm"] == "Al"
    assert form.values["num"] == 5
    assert form.values["flag"] is True
    assert form.values["note"] is None
    assert not form.is_cancelled


def test_who_calls_it_off_has_written_nothing(
    backend: Backend, call: Call, user: str
) -> None:
    granted(backend, user)
    backend.told(with_fields(call, cancelled=True))
    assert backend.event.form is not None
    assert backend.event.form.is_cancelled
    assert backend.event.form.values == {}


def test_several_may_be_chosen_where_the_server_knows_that(
    backend: Backend, call: Call, user: str
) -> None:
    granted(backend, user)
    backend.told(with_fields(call, submission={"who": ["a", "b"], "nm": "x\0"}))
    assert backend.event.form is not None
    assert backend.event.form.values == {"who": ["a", "b"], "nm": "x\ufffd"}


def test_nobody_else_can_fill_it_in(backend: Backend, call: Call, user: str) -> None:
    """Its state was in a browser: whoever has it can call us without the server."""
    granted(backend, user)
    assert backend.knock(with_fields(call, user_id=STRANGER)).status == 401


def test_one_that_is_nobody_s_is_refused(
    backend: Backend, call: Call, user: str
) -> None:
    granted(backend, user, users=())
    assert backend.knock(call).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"callback_id": "other"},
        {"callback_id": "rota.request"},
        {"callback_id": ""},
        {"callback_id": None},
        {"state": ""},
        {"state": None},
        {"state": [REF]},
        {"state": REF[:-1]},
        {"channel_id": STRANGER},
        {"type": "dialog_lookup"},
        {"type": None},
    ],
)
def test_the_state_of_another_dialog_or_place_is_refused(
    backend: Backend, call: Call, user: str, changes: dict[str, Any]
) -> None:
    granted(backend, user, channel_id=fields_of(call)["channel_id"])
    assert backend.knock(with_fields(call, **changes)).status in (400, 401)
    assert backend.desk.events == []


def test_a_button_s_reference_is_no_dialog_s(
    backend: Backend, call: Call, user: str
) -> None:
    granted(backend, user, kind="button")
    assert backend.knock(call).status == 401


def test_it_is_filled_in_once(backend: Backend, call: Call, user: str) -> None:
    granted(backend, user)
    assert backend.knock(call).status == 200
    backend.grants.take(REF, event_id="first")
    assert backend.knock(call).status == 401
    backend.grants.give_back(REF, "first")
    assert backend.knock(call).status == 200, "its handler refused what was in it"


OPTIONS = (
    *(field_option("stage", value) for value in ("dev", "prod")),
    field_option("who", None),
)


@pytest.mark.parametrize(
    "submission",
    [
        {"stage": "prod", "who": STRANGER, "note": "what one likes"},
        {"stage": ["dev", "prod"], "who": [STRANGER]},
        {"stage": "", "who": None},
        {},
    ],
)
def test_what_was_laid_out_may_be_chosen(
    backend: Backend, call: Call, user: str, submission: dict[str, Any]
) -> None:
    granted(backend, user, options=OPTIONS)
    backend.told(with_fields(call, submission=submission))
    assert backend.event.form is not None
    assert backend.event.form.values == submission


@pytest.mark.parametrize(
    "submission",
    [
        {"stage": "root"},
        {"stage": ["dev", "root"]},
        {"stage": 7},
        {"stage": STRANGER},
        {"who": "@all"},
        {"who": "dev", "stage": "prod "},
        {"who": True},
    ],
)
def test_nothing_else_may_be_chosen(
    backend: Backend, call: Call, user: str, submission: dict[str, Any]
) -> None:
    granted(backend, user, options=OPTIONS)
    assert backend.knock(with_fields(call, submission=submission)).status == 401
    assert backend.desk.events == []
    cancelled = with_fields(call, submission=submission, cancelled=True)
    assert backend.knock(cancelled).status == 200


@pytest.mark.parametrize(
    "submission",
    [
        "text",
        [1],
        {"a": {"b": 1}},
        {"a": [["b"]]},
        {"a": [{}]},
        {"a" * 300: "b"},
        {str(number): "" for number in range(101)},
    ],
)
def test_what_no_dialog_has_is_refused(
    backend: Backend, call: Call, user: str, submission: Any
) -> None:
    granted(backend, user)
    assert backend.knock(with_fields(call, submission=submission)).status == 400
    assert backend.desk.events == []
