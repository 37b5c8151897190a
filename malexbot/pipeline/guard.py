"""Ends loops: so many answers in a channel and minute, and then silence."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from malexbot.pipeline.effects import POST
from malexbot.ports import Effect

log = logging.getLogger(__name__)

WINDOW_S = 60.0


class LoopGuard:
    """Two bots that answer each other say the same for ever; people do not.

    It counts in memory: a loop that a restart interrupts is caught a minute later.
    """

    def __init__(self, most_a_minute: int) -> None:
        self.most_a_minute = most_a_minute
        self._lock = threading.Lock()
        self._said_at: dict[str, deque[float]] = {}

    def admit(self, effects: Sequence[Effect]) -> list[Effect]:
        """Those that may be sent; reactions answer nobody and always may."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            return [e for e in effects if e.kind != POST or self._may(e.target, now)]

    def _may(self, target: str, now: float) -> bool:
        said_at = self._said_at.setdefault(target, deque())
        if len(said_at) < self.most_a_minute:
            said_at.append(now)
            return True
        log.warning(
            "%s: no answer, there were %d within a minute: a loop?",
            target,
            self.most_a_minute,
        )
        return False

    def _forget(self, now: float) -> None:
        for target, said_at in list(self._said_at.items()):
            while said_at and said_at[0] <= now - WINDOW_S:
                said_at.popleft()
            if not said_at:
                del self._said_at[target]
