"""The gate before one target: shut while that is away, narrow where it has a rate.

While it is shut nobody touches the target. After a while, which grows from failure to
failure, one goes through to try it; if that one arrives the gate is open again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from malexbot.runtime.retry import Backoff

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
# Who comes while another one tries asks again so soon.
TRIAL_S = 1.0
# Who tried and was never heard of again is waited for so long.
LONGEST_TRIAL_S = 60.0
# So long somebody waits for his turn at most before he asks again.
LONGEST_TURN_S = 30.0
# So long the others wait for whose turn it is; and then he has lost his place.
LATE_S = 0.5
LONGEST_LATE_S = 60.0


class Shut(NamedTuple):
    """Not now."""

    wait_s: float
    reason: str


class Pass(NamedTuple):
    """Through the gate, until it is told what became of it."""

    number: int
    is_trial: bool = False
    """Yes: the target is away, and this one tries whether it is back."""


class Outage(NamedTuple):
    """Why a target is away, since when, and how often it was tried."""

    reason: str
    since: float
    """By the gate's clock."""
    failures: int = 1


class Gate:
    """Shared by all who go to one target; safe to use from many threads."""

    def __init__(
        self,
        *,
        rate: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step_s = 1 / rate if rate else 0.0
        self.now = now
        self._lock = threading.Lock()
        self._backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        # Who went through before the gate was last opened or shut has no say any more.
        self._number = 0
        self._outage: Outage | None = None
        self._trial_at = 0.0
        self._trial_ends_at = 0.0
        self._next_at = 0.0
        # Who wait for their turn, whoever came first before the others, and when each
        # is to ask again.
        self._line: dict[str, float] = {}

    @property
    def outage(self) -> Outage | None:
        """None: as far as anybody knows, it is there."""
        return self._outage

    @property
    def wait_s(self) -> float:
        """How long nobody is let through."""
        with self._lock:
            at = self._trial_at if self._outage else self._next_at
            return max(0.0, at - self.now())

    def enter(self, who: str = "") -> Pass | Shut:
        """Of a rate all who ask have their turns, one after the other."""
        with self._lock:
            now = self.now()
            if self._outage:
                return self._try(now, self._outage)
            if now < self._next_at or not self._is_first(who, now):
                return Shut(self._turn_s(who, now), "its rate is used up")
            self._line.pop(who, None)
            self._next_at = now + self._step_s
            return Pass(self._number)

    def charge(self, more: int) -> None:
        """So many went along with the one that entered."""
        with self._lock:
            self._next_at += more * self._step_s

    def arrived(self, by: Pass) -> Outage | None:
        """It is there; returns the outage that this has ended."""
        with self._lock:
            ended = self._outage
            if ended is None or by.number != self._number:
                return None
            self._number += 1
            self._outage = None
            self._backoff.reset()
            return ended

    def failed(
        self, by: Pass, reason: str, wait_s: float | None = None
    ) -> Outage | None:
        """It is away, for `wait_s` at least if it told that.

        None: others knew that, or know better, already.
        """
        with self._lock:
            if by.number != self._number:
                return None
            now, before = self.now(), self._outage or Outage("", self.now(), 0)
            self._number += 1
            self._outage = Outage(reason, before.since, before.failures + 1)
            self._trial_at = now + max(self._backoff.next_s(), wait_s or 0.0)
            self._trial_ends_at = 0.0
            return self._outage

    def left(self, by: Pass) -> None:
        """It was not found out whether the target is there: another one may try."""
        with self._lock:
            if by.number == self._number:
                self._trial_ends_at = 0.0

    def _try(self, now: float, outage: Outage) -> Pass | Shut:
        if now < self._trial_at:
            return Shut(self._trial_at - now, outage.reason)
        if now < self._trial_ends_at:
            return Shut(TRIAL_S, outage.reason)
        self._trial_ends_at = now + LONGEST_TRIAL_S
        return Pass(self._number, is_trial=True)

    def _is_first(self, who: str, now: float) -> bool:
        """No: somebody waits for longer, and is about to ask again."""
        for other, at in [*self._line.items()]:
            if other == who:
                return True
            if now <= at + LATE_S:
                return False
            if now > at + LONGEST_LATE_S:
                del self._line[other]
        return True

    def _turn_s(self, who: str, now: float) -> float:
        """They do not all come back at once."""
        self._line.setdefault(who, now)
        place = [*self._line].index(who)
        wait_s = max(self._next_at - now, 0.0) + place * self._step_s
        wait_s = min(wait_s, LONGEST_TURN_S)
        self._line[who] = now + wait_s
        return wait_s
