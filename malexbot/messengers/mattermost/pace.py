"""Keeps calls below the server's rate limit, before it refuses any."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping

from malexbot.messengers.mattermost.failures import numbers, seconds_to_go

# With so few calls left, the rest are spread over the time that the limit gives.
RESERVE = 10
# No header makes us wait longer between two calls.
LONGEST_STEP_S = 10.0


class Pace:
    """When the next call may leave; shared by all threads that use one token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step_s = 0.0
        self._next_at = 0.0

    def seat_s(self, longest_s: float = math.inf) -> float | None:
        """Take the next seat; returns how long to wait for it.

        None means that it would be longer than `longest_s`: no seat is taken.
        """
        with self._lock:
            now = time.monotonic()
            seat = max(now, self._next_at)
            if seat - now > longest_s:
                return None
            self._next_at = seat + self._step_s
            return seat - now

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer how much room is left."""
        limit = min(numbers(headers.get("X-Ratelimit-Limit", "")), default=None)
        left = min(numbers(headers.get("X-Ratelimit-Remaining", "")), default=None)
        reset_s = seconds_to_go(headers.get("X-Ratelimit-Reset", ""))
        if limit is None or left is None or reset_s is None:
            return
        is_tight = left < min(RESERVE, limit / 2)
        step_s = reset_s / max(limit - left, 1) if is_tight else 0.0
        with self._lock:
            self._step_s = min(max(step_s, 0.0), LONGEST_STEP_S)

    def hold(self, seconds: float) -> None:
        """Nobody calls for so long: the server said so."""
        with self._lock:
            self._next_at = max(self._next_at, time.monotonic() + seconds)
