"""A press that waited at VK is as old as it may be; one of now is new."""

from __future__ import annotations

import pytest

from malexbot.messengers.vk.since import Since


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def since(clock: Clock) -> Since:
    return Since(clock)


def test_what_a_poll_waited_for_is_new(since: Since, clock: Clock) -> None:
    since.begin(600)
    asked_at, clock.now = clock.now, clock.now + 20
    assert since.hear(asked_at) == 0


def test_what_was_told_at_once_may_have_waited_since_the_last_time(
    since: Since, clock: Clock
) -> None:
    since.begin(600)
    asked_at, clock.now = clock.now, clock.now + 0.5
    assert since.hear(asked_at) == pytest.approx(600.5)


def test_what_was_there_was_not_waited_for_however_slowly_it_is_told(
    since: Since, clock: Clock
) -> None:
    since.begin(600)
    asked_at, clock.now = clock.now, clock.now + 1.2
    assert since.hear(asked_at, was_there=True) == pytest.approx(601.2)
    # One that is up makes its session anew, and hears of what came in between.
    clock.now += 2
    assert since.hear(clock.now, was_there=True) == pytest.approx(2)


def test_who_asks_again_at_once_hears_of_now(since: Since, clock: Clock) -> None:
    since.begin(600)
    since.hear(clock.now)
    clock.now += 0.5
    assert since.hear(clock.now) == 0
    # Held up meanwhile, as by a database that is away.
    clock.now += 40
    assert since.hear(clock.now) == 40


def test_what_is_told_in_parts_is_as_old_in_each(since: Since, clock: Clock) -> None:
    since.begin(600)
    for is_all in (False, False, True):
        clock.now += 0.5
        assert since.hear(clock.now, is_all=is_all) > 600
    clock.now += 0.5
    assert since.hear(clock.now) == 0


def test_who_never_heard_anything_hears_of_now(since: Since, clock: Clock) -> None:
    since.begin(None)
    assert since.hear(clock.now) == 0


def test_a_quick_restart_makes_nothing_old(since: Since, clock: Clock) -> None:
    since.begin(0.4)
    assert since.hear(clock.now) == 0
