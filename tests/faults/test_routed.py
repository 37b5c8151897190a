"""Whoever judges what was handed on excuses no more than what could not be."""

from __future__ import annotations

import pytest

from tests.faults.routed import PRESSED_S, malformed, too_late

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("type", "polled", "waited_s", "late"),
    [
        ("message_event", [1, 2, 3], PRESSED_S, ["e3"]),
        ("message_event", [1, 2, 3], PRESSED_S - 2, []),
        # What it was told last before that was 40 s ago.
        ("message_event", [1, 3], PRESSED_S - 2, ["e3"]),
        ("message_event", [1, 3], PRESSED_S - 42, []),
        # Another process began where the one before had been.
        ("message_event", [1, 2, 1, 3], PRESSED_S - 2, ["e3"]),
        ("message_event", [], PRESSED_S, ["e3"]),
        ("message_edit", [1, 2, 3], PRESSED_S, []),
    ],
)
def test_only_a_press_that_may_have_waited_for_long_is_too_late(
    type: str, polled: list[int], waited_s: float, late: list[str]
) -> None:
    told = [
        {"event_id": f"e{ts}", "type": type, "ts": ts, "at": NOW - ago_s}
        for ts, ago_s in ((1, 40), (2, 0), (3, 0))
    ]
    assert [*too_late(told, {"e3": NOW + waited_s}, polled)] == late


@pytest.mark.parametrize(
    ("declared", "kept", "told"),
    [
        ({"other"}, 2, []),
        ({"e1"}, 1, []),
        ({"e1"}, 2, []),
        ({"other"}, 1, ["lost"]),
        ({"e1"}, 0, ["lost"]),
        ((), 3, ["doubled"]),
    ],
)
def test_of_what_is_malformed_only_what_vk_lost_may_be_missing(
    declared: set[str], kept: int, told: list[str]
) -> None:
    updates = [{"event_id": f"e{n}", "spoilt_ts": n} for n in range(3)]
    found = malformed(updates, declared, kept)
    assert [each.split(":")[0] for each in found] == told
