"""A target hands jobs over, and its line is closed when nobody is at it any more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from malexbot.config.targets import Redis
from malexbot.consumers.away import Away, Closed
from malexbot.consumers.gate import Gate
from malexbot.consumers.target import MOST_TRIALS, Target
from malexbot.errors import Permanent, Transient
from malexbot.pipeline.hold import TooLate
from malexbot.pipeline.verdicts import Again, Done, Ended, Postponed
from malexbot.ports import LANE_HELD_S, Job
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from tests.consumers.deliveries import delivery, hold
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs
from tests.support.threads import PATIENCE_S


class MemoryLine:
    """It notes what it is given, and lets it through when the test says so."""

    timeout_s = 5.0

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.error: Exception | None = None
        self.refused: dict[str, Exception] = {}
        self.room = 1000
        self.odd = ""
        self.tries = 0
        self.is_closed = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_begun = threading.Event()

    def look(self) -> str:
        self._try()
        return self.odd

    def send(self, jobs: Sequence[Job]) -> list[str]:
        self._try()
        for job in jobs:
            if error := self.refused.get(job.key):
                raise error
        taken = jobs[: self.room]
        self.sent += [job.key for job in taken]
        return ["fine" for _ in taken]

    def close(self) -> None:
        self.is_closed = True

    def _try(self) -> None:
        self.tries += 1
        self.is_begun.set()
        assert self.goes_on.wait(PATIENCE_S)
        assert not self.is_closed
        if self.error:
            raise self.error


@pytest.fixture
def line() -> MemoryLine:
    return MemoryLine()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> MemoryJobs:
    return MemoryJobs(clock)


@pytest.fixture
def target(line: MemoryLine, queue: MemoryJobs, health: Health, clock: Clock) -> Target:
    target = Target("redis", Redis(batch=4), line, jobs=queue, health=health)
    target.gate = Gate(now=clock)
    return target


def again(target: Target, key: str = "a") -> Again:
    """It has to wait, and the target is to blame."""
    with pytest.raises(Postponed) as postponed:
        target(delivery(key), hold())
    assert postponed.value.again.is_of_target
    assert not postponed.value.again.is_failure
    return postponed.value.again


def test_a_job_is_handed_over(target: Target, line: MemoryLine) -> None:
    assert target(delivery("a"), hold()) == Done(note="fine")
    assert line.sent == ["a"]


def test_nothing_is_sent_that_would_outlast_the_lease(
    target: Target, line: MemoryLine
) -> None:
    with pytest.raises(TooLate):
        target(delivery(), hold(lease_s=1))
    assert not line.sent


def test_who_was_stopped_on_the_way_sends_nothing(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    job, held = begin(queue, 4), hold()

    def stop(step: str) -> None:
        if step == "behind":
            held.lease = Deadline(line.timeout_s)

    queue.fail = stop
    with pytest.raises(TooLate):
        target(job, held)
    assert not line.tries


def test_a_line_is_closed_once_the_last_one_has_left(
    target: Target, line: MemoryLine
) -> None:
    line.goes_on.clear()
    at_it = threading.Thread(target=target, args=(delivery("a"), hold()))
    at_it.start()
    assert line.is_begun.wait(PATIENCE_S)
    target.retire()
    assert not line.is_closed
    line.goes_on.set()
    at_it.join()
    assert line.sent == ["a"] and line.is_closed


def test_a_line_that_nobody_is_at_is_closed_at_once(
    target: Target, line: MemoryLine
) -> None:
    target(delivery(), hold())
    target.retire()
    assert line.is_closed


def test_what_is_away_is_not_touched_again_at_once(
    target: Target, line: MemoryLine, clock: Clock
) -> None:
    line.error = Away("Redis: no connection")
    assert again(target).reason == "Redis: no connection"
    for key in "bcd":
        assert 0 < again(target, key).wait_s <= 1
    assert line.tries == 1
    clock.now += 1
    again(target, "b")
    assert line.tries == 2


def test_once_it_is_back_all_go_through(
    target: Target, line: MemoryLine, clock: Clock
) -> None:
    line.error = Away("no connection")
    again(target)
    line.error = None
    clock.now += 1
    for key in "abc":
        target(delivery(key), hold())
    assert line.sent == ["a", "b", "c"]
    assert (target.delivered, target.failures) == (3, 1)


def test_the_wait_that_is_asked_for_is_kept_by_all(
    target: Target, line: MemoryLine
) -> None:
    line.error = Away("429", 40)
    assert again(target).wait_s == again(target, "b").wait_s == 40


@pytest.mark.parametrize("error", [Permanent("no such field"), Transient("500")])
def test_who_refuses_an_event_is_there(
    target: Target, line: MemoryLine, error: Exception, clock: Clock
) -> None:
    line.error = Away("no connection")
    again(target)
    clock.now += 1
    line.error = error
    try:
        assert target(delivery("a"), hold()) == Ended("dead", "no such field")
    except Transient as failure:
        assert failure is error
    line.error = None
    target(delivery("b"), hold())
    assert line.sent == ["b"]


def test_a_fault_lets_another_one_try(
    target: Target, line: MemoryLine, clock: Clock
) -> None:
    line.error = Away("no connection")
    again(target)
    clock.now += 1
    line.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        target(delivery("a"), hold())
    line.error = None
    target(delivery("b"), hold())


def test_it_is_told_once_when_it_goes_and_once_when_it_is_back(
    target: Target,
    line: MemoryLine,
    clock: Clock,
    health: Health,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    line.error = Away("Redis is full: OOM")
    for _ in range(4):
        again(target)
        clock.now += 60
    state = health.parts()["redis"]
    assert state.startswith("away since ") and state.endswith(": Redis is full: OOM")
    assert health.is_ready
    line.error = Away("LOADING")
    again(target)
    clock.now += 60
    line.error = None
    target(delivery("a"), hold())
    assert health.parts() == {}
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    *away, (level, back) = told
    assert away == [
        ("WARNING", f"redis takes nothing, what is for it waits: {reason}")
        for reason in ("Redis is full: OOM", "LOADING")
    ]
    assert level == "INFO" and back.startswith("redis takes events again, after ")


def test_one_that_goes_and_comes_is_not_told_each_time(
    target: Target, line: MemoryLine, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(10):
        line.error = Away("503")
        again(target)
        clock.now += 1
        line.error = None
        target(delivery("a"), hold())
    assert len(caplog.records) == 2


def test_an_event_that_silences_it_again_and_again_is_passed_at_last(
    target: Target, line: MemoryLine, clock: Clock
) -> None:
    line.error = Away("no answer in time", is_certain=False)
    for _ in range(MOST_TRIALS - 1):
        again(target)
        clock.now += 60
    with pytest.raises(Postponed) as postponed:
        target(delivery("a"), hold())
    passed = postponed.value.again
    assert passed.wait_s > LANE_HELD_S and not passed.is_of_target
    # But not for being there while the target is not.
    line.error = Away("no connection")
    clock.now += 60
    again(target)


def test_how_it_is_set_up_is_told_at_the_start(
    target: Target, line: MemoryLine, caplog: pytest.LogCaptureFixture, health: Health
) -> None:
    line.odd = "it forgets"
    target.look()
    assert "redis: it forgets" in caplog.text
    line.error = Away("no connection")
    target.look()
    assert health.parts()["redis"].endswith("no connection")
    tries = line.tries
    target.look()
    assert line.tries == tries
    target.retire()
    assert health.parts() == {}


def begin(queue: MemoryJobs, number: int, to: str = "redis:command") -> Job:
    """So many wait in one lane; the first of them is ours."""
    for _ in range(number):
        payload = {"event": {}, "id": "e", "schema": 1}
        queue._add(kind="redis", name=to, lane=to, payload=payload)
    return queue.claim(kinds=["redis"], limit=1, lease_s=90)[0]


def ends(done: Done | Ended) -> list[tuple[str, str]]:
    return [(each.job.key, each.end.state) for each in done.along]


def test_those_behind_are_taken_along(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    done = target(begin(queue, 6), hold())
    assert line.sent == ["key-1", "key-2", "key-3", "key-4"] and line.tries == 1
    assert isinstance(done, Done) and done.note == "fine"
    assert ends(done) == [(f"key-{n}", "done") for n in (2, 3, 4)]
    assert target.delivered == 4


def test_of_a_batch_the_one_that_is_refused_is_dead(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    line.refused = {"key-3": Permanent("no such field")}
    done = target(begin(queue, 4), hold())
    assert line.sent == ["key-1", "key-2", "key-4"]
    assert ends(done) == [("key-2", "done"), ("key-3", "dead"), ("key-4", "done")]
    assert done.along[1].end.reason == "no such field"
    assert (target.delivered, target.dead) == (3, 1)


def test_a_head_that_is_refused_does_not_hold_up_those_behind(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    line.refused = {"key-1": Permanent("no such field")}
    done = target(begin(queue, 3), hold())
    assert isinstance(done, Ended) and (done.state, done.reason) == (
        "dead",
        "no such field",
    )
    assert ends(done) == [("key-2", "done"), ("key-3", "done")]


def test_what_fails_for_now_is_not_overtaken(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    line.refused = {"key-3": Transient("500")}
    done = target(begin(queue, 4), hold())
    assert line.sent == ["key-1", "key-2"]
    assert ends(done) == [("key-2", "done")]


def test_of_a_batch_that_is_refused_the_first_is_known_in_two_goes(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    """A service may take its time to refuse, and each handler has but a minute."""
    first = begin(queue, 4)
    line.error = Transient("500")
    with pytest.raises(Transient):
        target(first, hold())
    assert line.tries == 2


def test_a_batch_that_finds_it_away_is_left_as_it_was(
    target: Target, line: MemoryLine, queue: MemoryJobs, clock: Clock
) -> None:
    line.error = Away("no connection")
    job = begin(queue, 4)
    with pytest.raises(Postponed):
        target(job, hold())
    assert {row.attempts for row in queue.rows.values()} == {0, 1}
    # Who tries does that alone.
    line.error = None
    clock.now += 60
    assert not ends(target(job, hold()))
    assert line.sent == ["key-1"]


def test_what_had_no_room_is_handed_over_in_the_next_go(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    line.room = 3
    done = target(begin(queue, 4), hold())
    assert line.sent == [f"key-{n}" for n in (1, 2, 3, 4)] and line.tries == 2
    assert len(done.along) == 3


def test_no_more_go_at_once_than_a_rate_lets_through_in_a_second(
    line: MemoryLine, queue: MemoryJobs, health: Health, clock: Clock
) -> None:
    settings = Redis(batch=100, rate=2)
    target = Target("redis", settings, line, jobs=queue, health=health)
    target(begin(queue, 9), hold())
    assert len(line.sent) == 2
    assert 0.5 < target.gate.wait_s <= 1


def test_a_batch_stops_while_there_is_time_to_tell_of_it(
    target: Target, line: MemoryLine, queue: MemoryJobs
) -> None:
    line.refused = {"key-2": Permanent("no such field")}
    job, short = begin(queue, 4), hold()
    short.time_out = Deadline(line.timeout_s)
    assert not ends(target(job, short))
    assert line.sent == ["key-1"]


def test_who_was_replaced_tells_nothing_of_himself_any_more(
    target: Target, line: MemoryLine, health: Health
) -> None:
    line.goes_on.clear()
    line.error = Away("no connection")
    at_it = threading.Thread(target=target.look)
    at_it.start()
    assert line.is_begun.wait(PATIENCE_S)
    target.retire()
    line.goes_on.set()
    at_it.join()
    assert health.parts() == {}


def test_a_place_that_is_closed_to_us_holds_up_its_own_lane_only(
    target: Target, line: MemoryLine
) -> None:
    line.refused = {"a": Closed("the user may not do that in Redis: NOPERM")}
    with pytest.raises(Postponed) as postponed:
        target(delivery("a"), hold())
    assert postponed.value.again.is_of_target and postponed.value.again.is_failure
    target(delivery("b"), hold())
    assert line.sent == ["b"]


def test_a_place_that_stays_closed_is_tried_ever_more_rarely(
    target: Target, line: MemoryLine
) -> None:
    line.error = Closed("the user may not do that in Redis: NOPERM")
    job = replace(delivery("a"), failures=30, failing_s=0)
    waits = []
    for _ in range(50):
        with pytest.raises(Postponed) as postponed:
            target(job, hold())
        waits.append(postponed.value.again.wait_s)
    assert 30 < max(waits) <= 60


def test_a_silence_to_a_batch_lets_each_go_alone_for_a_while(
    target: Target, line: MemoryLine, queue: MemoryJobs, clock: Clock
) -> None:
    """One of them may be what it cannot bear: it holds up no other for long."""
    line.refused = {"key-3": Away("no answer in time", is_certain=False)}
    job = begin(queue, 5)
    with pytest.raises(Postponed):
        target(job, hold())
    clock.now += 1
    assert not ends(target(job, hold()))
    queue.finish(job, [])
    (job,) = queue.claim(kinds=["redis"], limit=1, lease_s=90)
    assert not ends(target(job, hold()))
    assert line.sent == ["key-1", "key-2"]
