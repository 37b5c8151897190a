"""Keeps calls below VK's limits, before it refuses any."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

# What VK allows the token of a community.
RATE_PER_S = 20
# VK counts when calls arrive, which is not when they leave.
WINDOW_S = 1.05
# It is told again that a limit is met when it was not for so long.
QUIET_S = 60.0


class Pace:
    """When the next call may leave; shared by all threads that use one token.

    In no second are there more than so many, however they are bunched.
    """

    def __init__(
        self,
        rate_per_s: int = RATE_PER_S,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._seats: deque[float] = deque(maxlen=rate_per_s)
        self._held_until = 0.0
        self._resting: dict[str, float] = {}
        self._met: dict[str, float] = {}

    def seat_s(self, longest_s: float = math.inf) -> float | None:
        """Take the next seat; returns how long to wait for it.

        None means that it would be longer than `longest_s`: no seat is taken.
        """
        with self._lock:
            now = self._clock()
            seat = max(now, self._held_until)
            if len(self._seats) == self._seats.maxlen:
                seat = max(seat, self._seats[0] + WINDOW_S)
            if seat - now <= longest_s:
                self._seats.append(seat)
                return seat - now
        self._tell(f"{self._seats.maxlen} calls a second")
        return None

    def hold(self, seconds: float) -> None:
        """Nobody calls for so long: VK said that it is too much."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
        self._tell(f"{self._seats.maxlen} calls a second")

    def rest(self, method: str, seconds: float) -> None:
        """Nobody calls this method for so long: its own limit was met."""
        with self._lock:
            self._resting[method] = self._clock() + seconds
        self._tell(method)

    def rests_s(self, method: str) -> float:
        """How much longer that is; 0 if it may be called."""
        with self._lock:
            return max(0.0, self._resting.get(method, 0.0) - self._clock())

    def _tell(self, limit: str) -> None:
        """What goes on as before is told once."""
        with self._lock:
            now = self._clock()
            is_new = now - self._met.get(limit, -math.inf) > QUIET_S
            self._met[limit] = now
        if is_new:
            log.warning("VK's limit of %s is met: what is above it waits", limit)
