from __future__ import annotations

from collections.abc import Container

import pytest

from malexbot.messengers.vk.failures import Busy
from malexbot.messengers.vk.garbled import (
    MOST_STEPS,
    Detour,
    Garbled,
    beginning,
    parsed,
)


def test_what_is_no_json_may_pass() -> None:
    for content in (b"", b"<html>", b'{"a":', b"[" * 100_000):
        with pytest.raises(Busy):
            parsed(content)


def test_half_a_character_is_replaced() -> None:
    assert parsed(rb'{"a":"x\ud83dy"}') == {"a": "x\N{REPLACEMENT CHARACTER}y"}
    assert parsed(rb'{"a":"\ud83d\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_bytes_and_signs_that_have_no_place_there_hide_nothing() -> None:
    assert parsed(b'{"a":"x\xd0y"}') == {"a": "x\N{REPLACEMENT CHARACTER}y"}
    assert parsed(b'{"a":"x\ty","b":NaN}') == {"a": "x\ty", "b": None}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"ts":"3","updates":[{"a":1}, {"b":2},oops,{"c":3}]}', [{"a": 1}, {"b": 2}]),
        (b'{"updates":[{"a":"]"},{"b":2', [{"a": "]"}]),
        (b'{"updates" : [ {"a":"\\ud83d"} ,', [{"a": "\N{REPLACEMENT CHARACTER}"}]),
        (b'{"updates":[oops,{"a":1}]}', []),
        (b'{"updates":[' + b"[" * 100_000, []),
        (b'{"ts":"3"', []),
        (b"<html>", []),
    ],
)
def test_what_stands_before_it_can_be_read(content: bytes, found: object) -> None:
    assert beginning(content) == found


def look(detour: Detour, bad: Container[int], head: int = 9) -> int | None:
    """Where it leads from 3 on, if nothing can be read at these places."""

    def poll(ts: int) -> None:
        if ts in bad:
            raise Garbled(b"<html>")

    return detour.find(3, head, poll)


def test_the_way_leads_behind_the_first_no_further() -> None:
    detour = Detour()
    assert (look(detour, {3}), look(detour, {3})) == (None, 4)
    detour = Detour()
    assert (look(detour, {3, 4, 7}), look(detour, {3, 4, 7})) == (None, 5)


def test_a_way_that_was_not_there_before_is_not_taken() -> None:
    detour = Detour()
    assert [look(detour, bad) for bad in ({3}, {3, 4}, {3}, range(99), {3})] == [
        None
    ] * 5


def test_while_nothing_can_be_read_there_is_none() -> None:
    detour = Detour()
    assert [look(detour, range(99)) for _ in range(3)] == [None] * 3
    assert [look(detour, {3}, head=3) for _ in range(3)] == [None] * 3
    far = range(3, 4 + MOST_STEPS)
    assert [look(detour, far, head=99) for _ in range(3)] == [None] * 3
