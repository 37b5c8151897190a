from __future__ import annotations

from typing import Any

import pytest

from malexbot.ports import Call
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
    """A press on a button of ours, for which nothing is granted yet."""
    return with_fields(anew(named("30_action")), context={"ref": REF})


@pytest.fixture
def menu() -> Call:
    context = {"ref": REF, "selected_option": "opt2"}
    return with_fields(anew(named("36_action_select")), context=context)


def test_its_handler_is_given_what_the_grant_says(backend: Backend, call: Call) -> None:
    backend.grant(payload={"stage": "prod", "n": [1, 2]})
    backend.told(call)
    button = backend.event.button
    assert button is not None
    assert button.beid == "rota.approve"
    assert button.payload == {"stage": "prod", "n": [1, 2]}
    assert backend.event.data["ref"] == REF
    assert "choice" not in backend.event.data


def test_what_the_context_says_beside_is_nothing(backend: Backend, call: Call) -> None:
    backend.grant()
    context = {"ref": REF, "action": "other.drop", "payload": {"n": 8}, "users": []}
    backend.told(with_fields(call, context=context))
    assert backend.event.button is not None
    assert backend.event.button.beid == "rota.approve"
    assert backend.event.button.payload == {"n": 7}


def test_looking_uses_nothing_up(backend: Backend, call: Call) -> None:
    backend.grant(uses=1)
    backend.told(call)
    granted = backend.grants.look(REF)
    assert granted is not None and granted.uses_left == 1


@pytest.mark.parametrize("uses", [1, 3, None])
def test_it_may_be_pressed_as_often_as_is_said(
    backend: Backend, call: Call, uses: int | None
) -> None:
    backend.grant(uses=uses)
    for number in range(3):
        is_left = uses is None or number < uses
        assert backend.knock(call).status == (200 if is_left else 401)
        backend.grants.take(REF, event_id=str(number))


def test_it_may_be_pressed_as_long_as_is_said(backend: Backend, call: Call) -> None:
    backend.grant()
    backend.now += 59
    assert backend.knock(call).status == 200
    backend.now += 1
    assert backend.knock(call).status == 401


@pytest.mark.parametrize(
    ("granted", "status"),
    [
        ({}, 200),
        ({"users": ("USER",)}, 200),
        ({"users": (STRANGER, "USER")}, 200),
        ({"users": (STRANGER,)}, 401),
        ({"channel_id": "CHANNEL"}, 200),
        ({"channel_id": STRANGER}, 401),
        ({"kind": "dialog", "users": ("USER",)}, 401),
        ({"options": ("opt1",)}, 401),
    ],
)
def test_it_counts_for_whom_and_where_it_was_made(
    backend: Backend, call: Call, granted: dict[str, Any], status: int
) -> None:
    fields = fields_of(call)
    here = {"USER": fields["user_id"], "CHANNEL": fields["channel_id"]}

    def put(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(here.get(each, each) for each in value)
        return here.get(value, value)

    backend.grant(**{name: put(value) for name, value in granted.items()})
    assert backend.knock(call).status == status
    assert len(backend.desk.events) == (status == 200)


def test_it_counts_on_its_own_post(backend: Backend, call: Call) -> None:
    backend.grant()
    assert backend.knock(call).status == 200, "its post is not known yet"
    backend.grants.know_post([REF], fields_of(call)["post_id"])
    assert backend.knock(call).status == 200
    assert backend.knock(with_fields(call, post_id=STRANGER)).status == 401


def test_what_one_person_sees_is_known_as_such(backend: Backend, call: Call) -> None:
    """It is in no channel for good, and nobody was told of its post."""
    backend.grant(uses=None)
    backend.told(call)
    backend.grants.know_post([REF], fields_of(call)["post_id"])
    backend.told(call)
    backend.grants.rows.clear()
    backend.grant(uses=None, channel_id=fields_of(call)["channel_id"])
    backend.told(call)
    told = [event.data.get("is_ephemeral", False) for event in backend.desk.events]
    assert told == [True, False, False]


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        "no map",
        [REF],
        {"ref": None},
        {"ref": 7},
        {"ref": [REF]},
        {"ref": {"$ne": ""}},
        {"ref": ""},
        {"ref": REF[:-1]},
        {"ref": REF.upper()},
        {"ref": f"{REF}\n"},
        {"ref": f" {REF}"},
        {"REF": REF},
        {"ref": "0" * 32},
        {"ref": "%"},
    ],
)
def test_another_reference_is_none(backend: Backend, call: Call, context: Any) -> None:
    backend.grant()
    assert backend.knock(with_fields(call, context=context)).status in (400, 401)
    assert backend.desk.events == []


def test_what_is_chosen_is_told(backend: Backend, menu: Call) -> None:
    backend.grant(options=("opt1", "opt2"))
    backend.told(menu)
    assert backend.event.data["choice"] == "opt2"


@pytest.mark.parametrize(
    "choice", [None, "", "opt3", "not-offered", 7, ["opt2"], "opt2" * 1000]
)
def test_only_what_is_offered_may_be_chosen(
    backend: Backend, menu: Call, choice: Any
) -> None:
    backend.grant(options=("opt1", "opt2"))
    context = {"ref": REF, "selected_option": choice}
    assert backend.knock(with_fields(menu, context=context)).status in (400, 401)
    assert backend.desk.events == []


def test_of_all_users_any_may_be_chosen(backend: Backend) -> None:
    call = backend.allow(anew(named("37_action_select_users")))
    backend.told(call)
    assert backend.event.data["choice"] == fields_of(call)["user_id"]


@pytest.mark.parametrize("choice", ["", "@all", "../users", "a b", "ü" * 26, "x" * 65])
def test_of_all_users_and_channels_only_an_id_may_be(
    backend: Backend, choice: str
) -> None:
    call = backend.allow(anew(named("37_action_select_users")))
    context = {"ref": REF, "selected_option": choice}
    assert backend.knock(with_fields(call, context=context)).status == 401
    assert backend.desk.events == []
