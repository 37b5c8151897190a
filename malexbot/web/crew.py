"""Threads that take what waits, in the order in which it came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from malexbot.runtime.deadline import Deadline

Work = TypeVar("Work")


class Crew(Generic[Work]):
    """So many threads, and so much that may wait for them."""

    def __init__(
        self, name: str, *, threads: int, most: int, do: Callable[[Work], None]
    ) -> None:
        """`do` raises nothing."""
        self._most = most
        self._do = do
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        # Daemon threads, so that one that hangs cannot keep the process alive.
        self._threads = [
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True)
            for number in range(1, threads + 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def offer(self, work: Work) -> bool:
        """No: it is full, and nothing was taken."""
        if self._queue.qsize() >= self._most:
            return False
        self._queue.put(work)
        return True

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def stop(self, deadline: Deadline) -> int:
        """What waits is not begun any more; returns how many threads go on."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(deadline.left_s)
        return sum(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            self._do(work)
