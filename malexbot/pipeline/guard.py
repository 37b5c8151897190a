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
        self._said: dict[str, deque[tuple[float, int]]] = {}
        self._warned_at: dict[str, float] = {}

    def admit(self, effects: Sequence[Effect], *, job_id: int = 0) -> list[Effect]:
        """Those that may be sent; reactions answer nobody and always may.

        What a job said that had to be done anew was never said.
        """
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            for target in {effect.target for effect in effects if job_id}:
                self._take_back(target, job_id)
            return [
                effect
                for effect in effects
                if effect.kind != POST or self._may(effect.target, now, job_id)
            ]

    def _may(self, target: str, now: float, job_id: int) -> bool:
        said = self._said.setdefault(target, deque())
        if len(said) < self.most_a_minute:
            said.append((now, job_id))
            return True
        if target not in self._warned_at:
            self._warned_at[target] = now
            told = "%s: no answer, there were %d within a minute: a loop?"
            log.warning(told, target, self.most_a_minute)
        return False

    def _take_back(self, target: str, job_id: int) -> None:
        said = self._said.get(target, deque())
        if any(by == job_id for _, by in said):
            self._said[target] = deque(each for each in said if each[1] != job_id)

    def _forget(self, now: float) -> None:
        for target, at in list(self._warned_at.items()):
            if at <= now - WINDOW_S:
                del self._warned_at[target]
        for target, said in list(self._said.items()):
            while said and said[0][0] <= now - WINDOW_S:
                said.popleft()
            if not said:
                del self._said[target]
