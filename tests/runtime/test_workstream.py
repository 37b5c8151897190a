"""What is told beside its way is told once at most, and keeps nobody waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import pytest

from malexbot.errors import Permanent, Transient
from malexbot.runtime.health import Health
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import Unsent, Workstream
from tests.support.threads import Running, eventually

AWAY = Transient("away")


def record(number: int, note: str = "", outcome: str = "done") -> Record:
    return Record(0.0, "save", "run", outcome, note=note, job=number)


class Memory:
    """A sink that keeps what it takes; `fail` may raise, or wait."""

    name = "memory"

    def __init__(
        self,
        fail: Callable[[Sequence[Record]], None] = lambda records: None,
        most: int = 3,
    ) -> None:
        self.most = most
        self.batches: list[Sequence[Record]] = []
        self.fail = fail
        self.is_closed = False

    def write(self, records: Sequence[Record]) -> None:
        self.fail(records)
        self.batches.append(records)

    def close(self) -> None:
        self.is_closed = True

    @property
    def jobs(self) -> list[int | None]:
        """Without what is told of records that are missing."""
        told = (each for batch in self.batches for each in batch)
        return [each.job for each in told if each.outcome != "dropped"]

    @property
    def missing(self) -> list[str]:
        told = (each for batch in self.batches for each in batch)
        return [each.note for each in told if each.outcome == "dropped"]


class Failing:
    """Raises these, one a try; then all is well."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tried: list[int] = []

    def __call__(self, records: Sequence[Record]) -> None:
        self.tried.append(len(records))
        if self.errors:
            raise self.errors.pop(0)


class World:
    def __init__(self, sink: Memory | None, most: int = 100) -> None:
        self.health = Health()
        self.log = Workstream(self.health, most=most, turn_s=0.001)
        self.log.mask.add(("t0p-secret",))
        self.log.adopt(sink)

    def note(self, *numbers: int) -> None:
        for number in numbers:
            self.log.note(record(number))

    @property
    def state(self) -> str:
        return self.health.parts().get("workstream", "")


def test_records_are_told_in_their_order_as_many_at_once_as_are_taken() -> None:
    world = World(sink := Memory())
    world.note(*range(7))
    with Running(world.log):
        eventually(lambda: world.log.told == 7)
        assert world.state == "tells memory"
    assert sink.jobs == [*range(7)]
    assert [len(batch) for batch in sink.batches] == [3, 3, 1]
    assert sink.is_closed and not world.log.dropped and not world.state


def test_what_does_not_fit_is_dropped_and_counted_and_its_place_is_told() -> None:
    world = World(sink := Memory(), most=4)
    world.note(*range(10))
    assert (world.log.waiting, world.log.dropped) == (4, 6)
    with Running(world.log):
        eventually(lambda: sink.missing)
        world.note(10)
        eventually(lambda: 10 in sink.jobs)
    assert sink.jobs == [0, 1, 2, 3, 10]
    assert sink.missing == ["records that are missing before this one: 6"]


def test_who_notes_waits_for_nobody_who_hangs() -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(records: Sequence[Record]) -> None:
        hangs.set()
        assert goes_on.wait(20)

    world = World(Memory(hang), most=10)
    world.note(0)
    with Running(world.log):
        assert hangs.wait(20)
        world.note(*range(1, 1000))
        assert (world.log.waiting, world.log.dropped) == (10, 989)
        goes_on.set()


def test_nobody_is_told_anything_when_it_is_off() -> None:
    world = World(None)
    assert not world.log.takes() and not world.log.takes(is_failure=True)
    with Running(world.log):
        assert not world.state


def test_only_failures_are_wanted_where_only_they_are() -> None:
    world = World(None)
    world.log.adopt(Memory(), only_failures=True)
    assert world.log.takes(is_failure=True) and not world.log.takes()


def test_a_secret_in_a_reason_is_masked() -> None:
    world = World(sink := Memory())
    world.log.note(record(1, note="the token t0p-secret is wrong"))
    with Running(world.log):
        eventually(lambda: sink.batches)
    assert sink.batches[0][0].note == "the token *** is wrong"


def test_what_may_have_arrived_is_not_told_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "malexbot")
    fail = Failing(AWAY, AWAY)
    world = World(sink := Memory(fail))
    monkeypatch.setattr("malexbot.runtime.retry.Backoff.next_s", _at_once)
    world.note(*range(8))
    with Running(world.log):
        eventually(lambda: sink.missing and world.state == "tells memory")
    # Three are lost, then one is risked to see whether somebody is there.
    assert fail.tried[:3] == [3, 1, 1]
    assert sink.jobs == [4, 5, 6, 7]
    assert (world.log.told, world.log.dropped) == (5, 4)
    levels = [(each.levelname, each.message) for each in caplog.records]
    assert [level for level, _ in levels] == ["WARNING", "INFO"]
    assert "memory: away" in levels[0][1] and "4 records were dropped" in levels[1][1]


def test_what_has_not_left_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malexbot.runtime.retry.Backoff.next_s", _at_once)
    fail = Failing(Unsent("nobody is there"), Unsent("later", 0.001))
    world = World(sink := Memory(fail))
    world.note(0, 1)
    with Running(world.log):
        eventually(lambda: sink.jobs)
    assert sink.jobs == [0, 1] and not world.log.dropped


def test_who_refuses_some_gets_the_others_at_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left alone for an hour after each, it would get none of them here."""
    monkeypatch.setattr("malexbot.runtime.retry.Backoff.next_s", lambda _: 3600.0)

    def refuse(records: Sequence[Record]) -> None:
        if records[0].job in (2, 4, 6):
            raise Permanent("406")

    world = World(sink := Memory(refuse, most=1))
    world.note(*range(8))
    with Running(world.log):
        eventually(lambda: world.log.told + world.log.dropped >= 9)
    assert sink.jobs == [0, 1, 3, 5, 7] and world.log.dropped == 3
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert len(warnings) == 1


class Later(Transient):
    """As a server that asks to be left alone."""

    retry_after_s = 3600.0


def test_who_asks_to_be_left_alone_is() -> None:
    world = World(Memory(Failing(Later("429"))))
    world.note(0)
    assert world.log._turn() == 3600.0


def test_a_sink_with_a_fault_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malexbot.runtime.retry.Backoff.next_s", _at_once)
    world = World(sink := Memory(Failing(ZeroDivisionError())))
    world.note(0)
    with Running(world.log) as running:
        eventually(lambda: world.log.dropped)
        world.note(1)
        eventually(lambda: 1 in sink.jobs)
        assert running.error is None


def test_an_outage_is_shown_and_keeps_nobody_from_his_work() -> None:
    world = World(Memory(Failing(AWAY)))
    world.note(0)
    with Running(world.log):
        eventually(lambda: world.state.startswith("drops records, memory: away"))
        assert world.health.is_ready


def test_a_stop_tells_what_is_left_to_who_is_there() -> None:
    busy, goes_on = threading.Event(), threading.Event()

    def wait(records: Sequence[Record]) -> None:
        busy.set()
        assert goes_on.wait(20)

    world = World(sink := Memory(wait))
    world.note(0)
    with Running(world.log) as running:
        assert busy.wait(20)
        world.note(*range(1, 20))
        threading.Timer(0.01, goes_on.set).start()
        running.end()
    assert sink.jobs == [*range(20)]
    assert not world.log.takes(), "what comes later would be told to nobody"


def test_a_stop_does_not_wait_for_who_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fail = Failing(*[AWAY] * 99)
    world = World(Memory(fail))
    world.note(*range(9))
    with Running(world.log) as running:
        eventually(lambda: world.log.dropped)
        running.end()
    assert fail.tried == [3] and world.log.dropped == 9
    assert "6 records of the workstream log were not told" in caplog.text


def test_somebody_else_is_told_from_now_on() -> None:
    world = World(first := Memory())
    second = Memory()
    with Running(world.log):
        world.note(0)
        eventually(lambda: first.jobs)
        world.log.adopt(second)
        world.note(1)
        eventually(lambda: second.jobs)
        assert first.is_closed and first.jobs == [0]
        world.log.adopt(None)
        eventually(lambda: second.is_closed and not world.state)


def test_who_is_told_instead_is_told_at_once() -> None:
    """Whatever the one before him has asked for."""
    fail = Failing(Unsent("later", 3600.0))
    world = World(Memory(fail))
    second = Memory()
    world.note(0)
    with Running(world.log):
        eventually(lambda: fail.tried)
        world.log.adopt(second)
        eventually(lambda: second.jobs == [0])


def _at_once(backoff: object) -> float:
    backoff._state.attempt_number += 1  # type: ignore[attr-defined]
    return 0.001
