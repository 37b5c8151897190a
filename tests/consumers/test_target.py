"""A target hands jobs over, and its line is closed when nobody is at it any more."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from malexbot.config.fields import Block
from malexbot.consumers.target import Target
from malexbot.pipeline.hold import TooLate
from malexbot.pipeline.verdicts import Done
from malexbot.ports import Job
from tests.consumers.deliveries import delivery, hold
from tests.support.threads import PATIENCE_S


class MemoryLine:
    """It notes what it is given, and lets it through when the test says so."""

    timeout_s = 5.0

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_closed = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_begun = threading.Event()

    def send(self, jobs: Sequence[Job]) -> list[str]:
        self.is_begun.set()
        assert self.goes_on.wait(PATIENCE_S)
        assert not self.is_closed
        self.sent += [job.key for job in jobs]
        return ["fine" for _ in jobs]

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def line() -> MemoryLine:
    return MemoryLine()


@pytest.fixture
def target(line: MemoryLine) -> Target:
    return Target("redis", Block(), line)


def test_a_job_is_handed_over(target: Target, line: MemoryLine) -> None:
    assert target(delivery("a"), hold()) == Done(note="fine")
    assert line.sent == ["a"]


def test_nothing_is_sent_that_would_outlast_the_lease(
    target: Target, line: MemoryLine
) -> None:
    with pytest.raises(TooLate):
        target(delivery(), hold(lease_s=1))
    assert not line.sent


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
