"""Why a condition does not hold can be told by its parts."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.rules import Condition
from malexbot.rules.parts import asked, parts
from tests.support.events import posted, pressed


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("true", ["true"]),
        ("event.a and event.b", ["event.a", "event.b"]),
        (" not a  and\n b and c ", ["not a", "b", "c"]),
        ("a and (b and c) and d[x and y]", ["a", "(b and c)", "d[x and y]"]),
        ("'this and that' in a and b", ["'this and that' in a", "b"]),
        ("a and b or c", ["a and b or c"]),
        ("a and (b or c)", ["a", "(b or c)"]),
        ("a and b if c else d", ["a and b if c else d"]),
        (r"a is matching('\bx\b') and b", [r"a is matching('\bx\b')", "b"]),
    ],
)
def test_what_all_has_to_hold_is_told_apart(condition: str, found: list[str]) -> None:
    assert parts(condition) == found


def test_a_part_is_a_condition_that_means_the_same() -> None:
    whole = r"event.message.text is matching('\bban\b') and event.user.nick == 'alice'"
    first, second = parts(whole)
    assert Condition(first)(posted(text="ban him"))
    assert not Condition(first)(posted(text="urban"))
    assert Condition(second)(posted())


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("event.event_type == 'x'", {"event.event_type": "message"}),
        ("event.message.text.startswith('/ban')", {"event.message.text": "hello"}),
        ("event.button.payload.n > 1", {"event.button.payload.n": None}),
        (
            "event.user.nick in ('event.name', x.event.name)",
            {"event.user.nick": "alice"},
        ),
        ("true", {}),
        ("event", {}),
    ],
)
def test_what_it_asks_is_told_with_the_answer(
    condition: str, found: dict[str, Any]
) -> None:
    assert asked(condition, posted()) == found


def test_what_is_in_a_map_is_found() -> None:
    event = pressed(payload={"n": 3})
    assert asked("event.button.payload.n > 5", event) == {"event.button.payload.n": 3}
