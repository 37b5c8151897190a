from __future__ import annotations

import pytest

from malexbot.messengers.mattermost.pace import Pace


def headers(limit: object, left: object, reset: object) -> dict[str, str]:
    values = {"Limit": limit, "Remaining": left, "Reset": reset}
    return {f"X-Ratelimit-{name}": str(value) for name, value in values.items()}


def waits(pace: Pace, count: int = 3) -> list[float]:
    found = [pace.seat_s() for _ in range(count)]
    return [round(wait, 1) for wait in found if wait is not None]


def test_with_room_nobody_waits() -> None:
    pace = Pace()
    pace.note(headers(101, 60, 4))
    assert waits(pace) == [0, 0, 0]


def test_near_the_limit_calls_are_spread() -> None:
    pace = Pace()
    pace.note(headers(101, 1, 50))
    assert waits(pace) == [0, 0.5, 1.0]


def test_of_doubled_headers_the_tighter_counts() -> None:
    pace = Pace()
    pace.note(headers("101, 101", "80, 1", "2, 50"))
    assert waits(pace) == [0, 0.5, 1.0]


def test_room_again_ends_the_spreading() -> None:
    pace = Pace()
    pace.note(headers(101, 1, 50))
    pace.note(headers(101, 100, 1))
    assert waits(pace) == [0, 0, 0]


def test_a_hold_is_for_everybody() -> None:
    pace = Pace()
    pace.hold(3)
    assert waits(pace) == [3, 3, 3]
    assert pace.seat_s(longest_s=1) is None


@pytest.mark.parametrize("odd", ["", "soon", "nan", "inf", "-5", "99999999999999"])
def test_odd_headers_stop_nobody_for_long(odd: str) -> None:
    pace = Pace()
    pace.note(headers(odd, odd, odd))
    pace.note(headers(10, 0, odd))
    assert max(waits(pace)) <= 20
