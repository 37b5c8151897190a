"""Tells a thread that hangs from one that waits for somebody else.

Each supervised thread has a heart. It beats whenever the thread comes by, and
rests while the thread waits for the world (the database, a server, the next
event): those waits are bounded by time-outs of their own, and an outage of
somebody else must not make systemd kill a sound daemon.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_mine = threading.local()


class Heart:
    """When one thread was last seen at work, and what it waits for, if it does."""

    __slots__ = ("_beaten_at", "_waits")

    def __init__(self) -> None:
        self._beaten_at = time.monotonic()
        self._waits: list[str] = []

    def beat(self) -> None:
        self._beaten_at = time.monotonic()

    @property
    def waits_for(self) -> str | None:
        return self._waits[-1] if self._waits else None

    def silent_s(self) -> float:
        """How long nothing was seen of the thread; 0 while it waits for the world."""
        return 0.0 if self._waits else time.monotonic() - self._beaten_at

    def bind(self) -> None:
        """From now on `beat` and `outside` in the calling thread mean this heart."""
        _mine.heart = self
        self.beat()

    @contextmanager
    def resting(self, what: str) -> Iterator[None]:
        self._waits.append(what)
        try:
            yield
        finally:
            self.beat()
            self._waits.pop()


def beat() -> None:
    """The calling thread is alive; nothing happens in a thread without a heart."""
    heart: Heart | None = getattr(_mine, "heart", None)
    if heart is not None:
        heart.beat()


@contextmanager
def outside(what: str) -> Iterator[None]:
    """The calling thread waits for `what`, which is none of our threads."""
    heart: Heart | None = getattr(_mine, "heart", None)
    if heart is None:
        yield
        return
    with heart.resting(what):
        yield
