"""Tells of what is refused, so that a flood of calls is none of the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

# What is refused is counted by the web server, however much it is.
MOST_WARNINGS = 20
PER_S = 60.0


class Alarm:
    """Warns of what is refused, and of many only that there are more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._told = 0

    def warn(self, path: str, remote: str, reason: object) -> None:
        told = self._count()
        if told <= MOST_WARNINGS:
            log.warning("refused %s from %s: %s", path, remote, reason)
        elif told == MOST_WARNINGS + 1:
            log.warning("more is refused; nothing is told of it for a minute")

    def _count(self) -> int:
        with self._lock:
            now = self._clock()
            if now >= self._until:
                self._until, self._told = now + PER_S, 0
            self._told += 1
            return self._told
