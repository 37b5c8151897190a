"""How a thread is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import outside


class Stop:
    """Set once; every wait of a thread is made through it, so that it wakes at once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._deadline = Deadline.never()
        self._lock = threading.Lock()
        self._wakes: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    @property
    def deadline(self) -> Deadline:
        """How long what was begun may still take; never before `set`."""
        return self._deadline

    def set(self, deadline: Deadline | None = None) -> None:
        """Ask for the end; the first deadline given stays."""
        with self._lock:
            if self._event.is_set():
                return
            self._deadline = deadline or Deadline(0)
            self._event.set()
            wakes = list(self._wakes)
        for wake in wakes:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """For a wait that is made elsewhere: `wake` is called when the stop comes.

        Whoever waits looks at `is_set` once more in here before it does.
        """
        with self._lock:
            self._wakes.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)

    def wait(self, seconds: float) -> bool:
        """Sleep for so long; yes means that it is time to end."""
        with outside("the next turn"):
            return self._event.wait(seconds)
