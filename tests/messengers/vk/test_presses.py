from __future__ import annotations

import time
from typing import Any

import pytest

from malexbot.events import Event
from malexbot.messengers.vk.presses import Presses
from malexbot.messengers.vk.translate import Translator
from malexbot.ports import Grant
from tests.support.grants import MemoryGrants

CHAT = 2_000_000_001
ANNA = 1001
REF = "ab" * 16


def grant(**more: Any) -> Grant:
    told: dict[str, Any] = {"kind": "button", "action": "rota.approve"}
    told |= {"payload": {"week": 7}, "channel_id": str(CHAT), "expires_s": 60.0}
    return Grant(ref=REF, **{**told, **more})


def press(payload: Any) -> Event:
    object = {
        "user_id": ANNA,
        "peer_id": CHAT,
        "event_id": "ac89a3425ec3",
        "payload": payload,
        "conversation_message_id": 5,
    }
    update = {"type": "message_event", "event_id": "d31e92", "object": object}
    reader = Translator(1, lambda: 1)
    return reader.event(update, origin="live", connection=1)


@pytest.fixture
def grants() -> MemoryGrants:
    return MemoryGrants(time.monotonic)


def read(grants: MemoryGrants, payload: Any) -> Event:
    return Presses(grants).read(press(payload))


def test_a_press_has_the_action_and_payload_of_its_grant(grants: MemoryGrants) -> None:
    grants.make([grant()])
    event = read(grants, {"ref": REF})
    assert event.button == (5, "rota.approve", {"week": 7})
    assert event.data["ref"] == REF
    assert event.data["response_url"] == "press:ac89a3425ec3"


def test_a_choice_comes_along(grants: MemoryGrants) -> None:
    grants.make([grant(options=("a", "b"))])
    assert read(grants, {"ref": REF, "choice": "b"}).data["choice"] == "b"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kind": "dialog"}, "it is a dialog"),
        ({"expires_s": -1.0}, "expired"),
        ({"users": (7,)}, "somebody else's"),
        ({"channel_id": "7"}, "another conversation's"),
        ({"options": ("x",)}, "no such choice"),
    ],
)
def test_what_may_not_be_sets_nothing_off(
    grants: MemoryGrants,
    more: dict[str, Any],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    grants.make([grant(**more)])
    assert read(grants, {"ref": REF}) == press({"ref": REF})
    assert why in caplog.text and "d31e92" in caplog.text
    assert REF not in caplog.text


def test_who_is_too_late_is_to_hear_of_it(grants: MemoryGrants) -> None:
    grants.make([grant(uses=0)])
    assert "ref" in read(grants, {"ref": REF}).data


def test_who_is_named_may_press(grants: MemoryGrants) -> None:
    grants.make([grant(users=(str(ANNA), 7))])
    assert "ref" in read(grants, {"ref": REF}).data


@pytest.mark.parametrize(
    ("post_id", "is_taken"),
    [
        (f"{CHAT}:5", True),
        (f"{CHAT}:6", False),
        (f"{CHAT + 1}:5", False),
        # As an update of the message names it, in its own conversation.
        ("5", True),
        ("6", False),
    ],
)
def test_a_button_counts_on_its_own_message(
    grants: MemoryGrants, post_id: str, is_taken: bool
) -> None:
    grants.make([grant()])
    grants.rows[REF].post_id = post_id
    assert ("ref" in read(grants, {"ref": REF}).data) is is_taken


@pytest.mark.parametrize("payload", [{"ref": "cd" * 16}])
def test_an_unknown_reference_sets_nothing_off(
    grants: MemoryGrants, payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(grants, payload) == press(payload)
    assert "unknown" in caplog.text


@pytest.mark.parametrize("payload", [{}, {"ref": 7}, {"ref": "x"}, {"call": "t"}, None])
def test_a_foreign_button_is_left_alone(
    grants: MemoryGrants, payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(grants, payload) == press(payload)
    assert caplog.text == ""
