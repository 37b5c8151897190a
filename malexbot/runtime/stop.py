"""How a thread is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable

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
            wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()

    def when_set(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once it is set: for a thread that waits elsewhere."""
        with self._lock:
            if not self._event.is_set():
                self._wakes.append(wake)
                return
        wake()

    def wait(self, seconds: float) -> bool:
        """Sleep for so long; yes means that it is time to end."""
        with outside("the next turn"):
            return self._event.wait(seconds)
