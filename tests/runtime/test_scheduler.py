"""What comes round again and again."""

from __future__ import annotations

import logging
import threading

import pytest

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.scheduler import Scheduler
from malexbot.runtime.supervisor import Supervisor

SOON_S = 0.05
WAIT_S = 10.0


class Bell:
    """Counts how often it was rung, and by which thread."""

    def __init__(self, *, enough: int = 3) -> None:
        self.threads: list[str] = []
        self.is_enough = threading.Event()
        self._enough = enough

    def ring(self) -> None:
        self.threads.append(threading.current_thread().name)
        if len(self.threads) >= self._enough:
            self.is_enough.set()


def _supervise(scheduler: Scheduler) -> Supervisor:
    supervisor = Supervisor(on_fatal=lambda name, error: None, health=Health())
    supervisor.start(scheduler)
    return supervisor


def test_a_job_is_submitted_again_and_again() -> None:
    bell = Bell()
    scheduler = Scheduler()
    scheduler.every(SOON_S, "ring", bell.ring)
    supervisor = _supervise(scheduler)
    assert bell.is_enough.wait(WAIT_S)
    assert supervisor.stop(Deadline(WAIT_S)) == []


def test_its_threads_have_names_and_end_with_the_service() -> None:
    bell = Bell(enough=1)
    scheduler = Scheduler()
    scheduler.every(SOON_S, "ring", bell.ring)
    before = set(threading.enumerate())
    supervisor = _supervise(scheduler)
    assert bell.is_enough.wait(WAIT_S)
    threads = set(threading.enumerate()) - before
    assert {thread.name for thread in threads} == {"scheduler", "clockwork"}
    assert all(thread.daemon for thread in threads)
    assert supervisor.stop(Deadline(WAIT_S)) == []
    assert not threads & set(threading.enumerate())
    assert set(bell.threads) == {"clockwork"}


def test_a_job_that_fails_is_told_and_submitted_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bell = Bell(enough=2)

    def fail() -> None:
        bell.ring()
        raise ValueError("no")

    scheduler = Scheduler()
    scheduler.every(SOON_S, "fail", fail)
    supervisor = _supervise(scheduler)
    assert bell.is_enough.wait(WAIT_S)
    supervisor.stop(Deadline(WAIT_S))
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_its_runs_are_not_told_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bell = Bell()
    scheduler = Scheduler()
    scheduler.every(SOON_S, "ring", bell.ring)
    supervisor = _supervise(scheduler)
    assert bell.is_enough.wait(WAIT_S)
    supervisor.stop(Deadline(WAIT_S))
    assert not [record for record in caplog.records if "apscheduler" in record.name]


def test_without_jobs_it_waits_for_its_end() -> None:
    supervisor = _supervise(Scheduler())
    assert supervisor.stop(Deadline(WAIT_S)) == []
