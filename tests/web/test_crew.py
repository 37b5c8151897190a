from __future__ import annotations

import threading

from malexbot.runtime.deadline import Deadline
from malexbot.web.crew import Crew

PATIENCE_S = 20.0


class Gate:
    """Work that is held up until the gate opens."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun = threading.Semaphore(0)
        self.done: list[int] = []

    def do(self, work: int) -> None:
        self.begun.release()
        assert self.opened.wait(PATIENCE_S)
        self.done.append(work)


def test_work_is_done_in_the_order_in_which_it_came() -> None:
    gate = Gate()
    gate.opened.set()
    crew = Crew("crew", threads=1, most=10, do=gate.do)
    assert all(crew.offer(number) for number in range(5))
    crew.start()
    for _ in range(5):
        assert gate.begun.acquire(timeout=PATIENCE_S)
    assert crew.stop(Deadline(PATIENCE_S)) == 0
    assert gate.done == [0, 1, 2, 3, 4]


def test_a_full_crew_takes_no_more() -> None:
    gate = Gate()
    crew = Crew("crew", threads=1, most=2, do=gate.do)
    crew.start()
    assert crew.offer(1)
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert crew.offer(2) and crew.offer(3)
    assert crew.waiting == 2
    assert not crew.offer(4)
    gate.opened.set()
    assert crew.stop(Deadline(PATIENCE_S)) == 0


def test_a_stop_begins_nothing_and_tells_what_goes_on() -> None:
    gate = Gate()
    crew = Crew("crew", threads=1, most=2, do=gate.do)
    crew.start()
    assert crew.offer(1)
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert crew.offer(2)
    assert crew.stop(Deadline(0)) == 1
    gate.opened.set()
    assert crew.stop(Deadline(PATIENCE_S)) == 0
    assert gate.done == [1]
