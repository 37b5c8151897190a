from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.messengers.vk.pace import QUIET_S, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 0.5), max_size=120), st.integers(1, 25))
def test_no_second_has_more_calls_than_are_allowed(
    pauses: list[float], rate: int
) -> None:
    clock = Clock()
    pace = Pace(rate, clock=clock)
    seats = []
    for pause in pauses:
        clock.now += pause
        wait_s = pace.seat_s()
        assert wait_s is not None
        seats.append(clock.now + wait_s)
    for first, last in zip(seats, seats[rate:], strict=False):
        assert last - first >= 1


def test_a_burst_within_the_limit_waits_for_nothing() -> None:
    pace = Pace(20, clock=Clock())
    assert [pace.seat_s() for _ in range(20)] == [0.0] * 20
    assert (pace.seat_s() or 0) > 1


def test_who_cannot_wait_takes_no_seat() -> None:
    pace = Pace(1, clock=Clock())
    pace.seat_s()
    assert pace.seat_s(0.5) is None
    wait_s = pace.seat_s(2)
    assert wait_s is not None and 1 <= wait_s < 1.1


def test_a_limit_that_was_met_holds_everybody() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.hold(3)
    assert pace.seat_s() == 3
    clock.now += 4
    assert pace.seat_s() == 0


def test_a_resting_method_rests_alone() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.rest("users.get", 10)
    assert (pace.rests_s("users.get"), pace.rests_s("messages.send")) == (10, 0)
    clock.now += 11
    assert pace.rests_s("users.get") == 0


def test_a_limit_that_is_met_again_and_again_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    pace = Pace(1, clock=clock)
    pace.seat_s()
    assert not caplog.text
    for _ in range(100):
        pace.hold(2)
        assert pace.seat_s(0.1) is None
        clock.now += 1
    assert caplog.text.count("limit of 1 calls a second is met") == 1
    pace.rest("messages.send", 300)
    assert caplog.text.count("limit of messages.send is met") == 1
    clock.now += QUIET_S + 1
    pace.hold(1)
    assert caplog.text.count("a second is met") == 2
