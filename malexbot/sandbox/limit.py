"""The server's rate limit: so many requests a second, with a burst."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from malexbot.sandbox.settings import Settings


@dataclass(frozen=True)
class Verdict:
    is_over: bool
    headers: list[tuple[str, str]]


class RateLimit:
    """A leaky bucket a token; off while `rate_per_s` is 0."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        # When each bucket will be empty again, in whole nanoseconds (monotonic).
        self._empty_at: dict[str, int] = {}

    def check(self, token: str) -> Verdict:
        rate = self._settings.rate_per_s
        if not rate:
            return Verdict(False, [])
        share_ns = int(1e9 / rate)
        most = self._settings.rate_burst + 1
        now = time.monotonic_ns()
        with self._lock:
            empty_at = max(self._empty_at.get(token, now), now)
            is_over = empty_at + share_ns - now > most * share_ns
            if not is_over:
                empty_at += share_ns
                self._empty_at[token] = empty_at
        fill_ns = empty_at - now
        left = 0 if is_over else most - -(-fill_ns // share_ns)
        return self._verdict(is_over, most, left, fill_ns)

    def _verdict(self, is_over: bool, most: int, left: int, fill_ns: int) -> Verdict:
        headers = [
            ("X-Ratelimit-Limit", str(most)),
            ("X-Ratelimit-Remaining", str(left)),
            ("X-Ratelimit-Reset", str(math.ceil(fill_ns / 1e9))),
        ]
        if is_over:
            wait_s = math.ceil(1 / self._settings.rate_per_s)
            return Verdict(True, [("Retry-After", str(wait_s)), *headers])
        if self._settings.doubles_rate_headers:
            headers = [header for header in headers for _ in range(2)]
        return Verdict(False, headers)
