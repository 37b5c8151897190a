"""One target of routes: the line to it, and who is at it just now."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from malexbot.config.fields import Block
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Done
from malexbot.ports import Job


class Line(Protocol):
    """How events get to a target; safe to use from many threads."""

    @property
    def timeout_s(self) -> float:
        """How long handing them over may take."""
        ...

    def send(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Hand them over; returns a word for each. Raises what holds of all of them."""
        ...

    def close(self) -> None: ...


class Target:
    """The handler of its jobs; safe to use from many threads."""

    def __init__(self, name: str, settings: Block, line: Line) -> None:
        self.name = name
        self.settings = settings
        self.line = line
        self._lock = threading.Lock()
        self._users = 0
        self._is_retired = False

    def __call__(self, job: Job, hold: Hold) -> Done:
        hold.check_for(self.line.timeout_s)
        with self._in_use():
            (note,) = self.line.send([job])
        return Done(note=note)

    def retire(self) -> None:
        """Nobody comes any more: the line is closed once the last one has left."""
        with self._lock:
            self._is_retired = True
            is_idle = not self._users
        if is_idle:
            self.line.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                was_last = self._is_retired and not self._users
            if was_last:
                self.line.close()
