"""A target that is away is tried by one now and then, and by nobody else."""

from __future__ import annotations

import threading

import pytest

from malexbot.consumers.gate import (
    FIRST_WAIT_S,
    LATE_S,
    LONGEST_LATE_S,
    LONGEST_TRIAL_S,
    LONGEST_TURN_S,
    LONGEST_WAIT_S,
    TRIAL_S,
    Gate,
    Pass,
    Shut,
)
from tests.support.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(now=clock)


def enter(gate: Gate, who: str = "") -> Pass:
    by = gate.enter(who)
    assert isinstance(by, Pass)
    return by


def turned_away(gate: Gate, who: str = "") -> Shut:
    shut = gate.enter(who)
    assert isinstance(shut, Shut)
    return shut


def shut(gate: Gate, times: int = 1) -> None:
    for _ in range(times):
        gate.failed(enter(gate), "no connection", 60)


def test_whoever_comes_goes_through(gate: Gate) -> None:
    for _ in range(100):
        assert gate.arrived(enter(gate)) is None
    assert gate.outage is None and gate.wait_s == 0


def test_after_a_failure_nobody_does_for_a_while(gate: Gate, clock: Clock) -> None:
    outage = gate.failed(enter(gate), "no connection")
    assert outage and (outage.reason, outage.failures) == ("no connection", 1)
    found = turned_away(gate)
    assert 0 < found.wait_s <= FIRST_WAIT_S and found.reason == "no connection"
    clock.now += found.wait_s
    assert enter(gate).is_trial


def test_one_tries_and_the_others_wait(gate: Gate, clock: Clock) -> None:
    shut(gate)
    clock.now += 60
    trial = enter(gate)
    for _ in range(5):
        assert turned_away(gate).wait_s == TRIAL_S
    ended = gate.arrived(trial)
    assert ended and clock() - ended.since == 60
    assert not enter(gate).is_trial


def test_who_tries_in_vain_shuts_it_for_longer(gate: Gate, clock: Clock) -> None:
    waits = []
    for failures in range(1, 16):
        outage = gate.failed(enter(gate), "no connection")
        assert outage and (outage.failures, outage.since) == (failures, 1000)
        waits.append(gate.wait_s)
        clock.now += gate.wait_s
    assert max(waits) <= LONGEST_WAIT_S and max(waits) > 4 * FIRST_WAIT_S


def test_the_wait_that_it_asks_for_is_kept(gate: Gate) -> None:
    gate.failed(enter(gate), "429", 90)
    assert turned_away(gate).wait_s == 90


def test_who_went_through_before_has_no_say(gate: Gate, clock: Clock) -> None:
    early, late = enter(gate), enter(gate)
    assert gate.failed(early, "no connection")
    wait_s = gate.wait_s
    assert gate.failed(late, "time-out", 90) is None
    assert gate.arrived(late) is None
    assert gate.wait_s == wait_s and gate.outage


def test_who_found_nothing_out_lets_another_one_try(gate: Gate, clock: Clock) -> None:
    shut(gate)
    clock.now += 60
    gate.left(enter(gate))
    assert enter(gate).is_trial


def test_who_tries_and_never_comes_back_is_not_waited_for(
    gate: Gate, clock: Clock
) -> None:
    shut(gate)
    clock.now += 60
    lost = enter(gate)
    clock.now += LONGEST_TRIAL_S
    assert gate.arrived(enter(gate))
    assert gate.arrived(lost) is None


def test_of_many_threads_one_tries(clock: Clock) -> None:
    gate = Gate(now=clock)
    shut(gate)
    clock.now += 60
    found: list[Pass | Shut] = []
    threads = [
        threading.Thread(target=lambda: found.append(gate.enter())) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, Pass) for each in found) == 1


def test_a_rate_is_kept(clock: Clock) -> None:
    gate = Gate(rate=10, now=clock)
    passed = 0
    for _ in range(1000):
        passed += isinstance(gate.enter(), Pass)
        clock.now += 0.01
    assert 90 <= passed <= 101


def test_a_batch_counts_as_many(clock: Clock) -> None:
    gate = Gate(rate=10, now=clock)
    enter(gate)
    gate.charge(4)
    assert turned_away(gate).wait_s == pytest.approx(0.5)


def test_who_waits_for_a_rate_comes_back_in_turn(clock: Clock) -> None:
    gate = Gate(rate=10, now=clock)
    enter(gate)
    waits = [turned_away(gate, f"{n}").wait_s for n in range(1000)]
    assert waits[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(waits) == LONGEST_TURN_S


def test_who_has_much_to_hand_over_leaves_the_others_their_turns(clock: Clock) -> None:
    gate = Gate(rate=5, now=clock)
    due = dict.fromkeys("abcd", clock())
    passed = ""
    while len(passed) < 12:
        who = min(due, key=due.__getitem__)
        clock.now = max(clock(), due[who])
        by = gate.enter(who)
        if isinstance(by, Shut):
            due[who] = clock() + by.wait_s
        else:
            # A batch: what is behind it waits already.
            passed += who
            gate.charge(4)
    # When it asked again for the first time it was the first.
    assert passed == "aabcdabcdabc"


def test_who_does_not_come_back_holds_up_nobody_for_long(clock: Clock) -> None:
    gate = Gate(rate=5, now=clock)
    enter(gate, "a")
    due = clock() + turned_away(gate, "gone").wait_s
    assert turned_away(gate, "a").wait_s > 0.2
    clock.now = due
    assert turned_away(gate, "a")
    clock.now = due + LATE_S + 0.01
    assert enter(gate, "a")
    clock.now += LONGEST_LATE_S
    enter(gate, "a")
    assert turned_away(gate, "a").wait_s == pytest.approx(0.2)
