"""A messenger or target that is slow gets its share of the workers, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from malexbot.pipeline.hold import Hold
from malexbot.pipeline.shares import COUNTS_S, SLOW_S, Shared, Shares
from malexbot.pipeline.verdicts import Done, Postponed
from tests.support.fakes import Clock
from tests.support.queue import job

HOLD = Hold(lease_s=90, time_out_s=60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shares(clock: Clock) -> Shares:
    return Shares(4, clock=clock)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_who_answers_at_once_gets_all(shares: Shares, stack: ExitStack) -> None:
    seats = [stack.enter_context(shares.seat("vk")) for _ in range(9)]
    assert all(seats)


def test_who_is_waited_for_gets_its_share(
    shares: Shares, stack: ExitStack, clock: Clock
) -> None:
    assert stack.enter_context(shares.seat("vk"))
    clock.now += SLOW_S + 1
    taken = [stack.enter_context(shares.seat("vk")) for _ in range(3)]
    assert taken == [True, False, False]
    assert stack.enter_context(shares.seat("mattermost"))


def test_who_was_slow_is_so_for_a_while(
    shares: Shares, stack: ExitStack, clock: Clock
) -> None:
    with shares.seat("vk"):
        clock.now += SLOW_S + 1
    two = [stack.enter_context(shares.seat("vk")) for _ in range(2)]
    with shares.seat("vk") as third:
        assert [*two, third] == [True, True, False]
    stack.close()
    clock.now += COUNTS_S
    assert all([stack.enter_context(shares.seat("vk")) for _ in range(3)])


def test_what_has_failed_gets_its_share_however_quick_it_was(
    shares: Shares, stack: ExitStack
) -> None:
    taken = [
        stack.enter_context(shares.seat("http:a", is_failing=True)) for _ in range(3)
    ]
    assert taken == [True, True, False]
    assert stack.enter_context(shares.seat("http:a")), "it is not slow"


def test_all_that_are_slow_leave_somebody_to_the_others(clock: Clock) -> None:
    shares, taken = Shares(8, clock=clock), Counter[str]()
    slow = ["redis", "http:a", "http:b"]
    with ExitStack() as stack:
        for place in slow:
            with shares.seat(place):
                clock.now += SLOW_S + 1
        for place in slow * 8:
            taken[place] += stack.enter_context(shares.seat(place))
    assert taken == {"redis": 2, "http:a": 2, "http:b": 2}


def test_what_finds_no_seat_waits_as_it_was(
    shares: Shares, stack: ExitStack, clock: Clock
) -> None:
    handler = Shared(lambda job, hold: Done(note="sent"), shares)
    waits = job(failing_s=0)
    assert handler(waits, HOLD) == Done(note="sent")
    for _ in range(2):
        stack.enter_context(shares.seat("mattermost"))
    clock.now += SLOW_S + 1
    for sent_ago_s in (None, 7.0):
        with pytest.raises(Postponed) as postponed:
            handler(replace(waits, sent_ago_s=sent_ago_s), HOLD)
        again = postponed.value.again
        assert again.is_uncertain is (sent_ago_s is not None)
        assert again.is_of_target and not again.is_failure


def test_what_fails_goes_on_to_without_a_seat(shares: Shares, stack: ExitStack) -> None:
    """Or it would hold up its lane for as long as the others are at it."""
    handler = Shared(lambda job, hold: Done(), shares, lambda job: "http:a")
    for _ in range(2):
        stack.enter_context(shares.seat("http:a"))
    with pytest.raises(Postponed) as postponed:
        handler(job(failing_s=7.0, failures=3), HOLD)
    again = postponed.value.again
    assert not again.is_of_target and not again.is_failure
