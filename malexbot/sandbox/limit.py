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
        # When each bucket will be empty again (monotonic).
        self._empty_at: dict[str, float] = {}

    def check(self, token: str) -> Verdict:
        rate = self._settings.rate_per_s
        if not rate:
            return Verdict(False, [])
        most = self._settings.rate_burst + 1
        now = time.monotonic()
        with self._lock:
            empty_at = max(self._empty_at.get(token, now), now) + 1 / rate
            is_over = (empty_at - now) * rate > most
            if not is_over:
                self._empty_at[token] = empty_at
        fill_s = self._empty_at.get(token, now) - now
        return self._verdict(is_over, most, max(0, int(most - fill_s * rate)), fill_s)

    def _verdict(self, is_over: bool, most: int, left: int, fill_s: float) -> Verdict:
        headers = [
            ("X-Ratelimit-Limit", str(most)),
            ("X-Ratelimit-Remaining", str(0 if is_over else left)),
            ("X-Ratelimit-Reset", str(math.ceil(fill_s))),
        ]
        if is_over:
            wait_s = math.ceil(1 / self._settings.rate_per_s)
            return Verdict(True, [("Retry-After", str(wait_s)), *headers])
        if self._settings.doubles_rate_headers:
            headers = [header for header in headers for _ in range(2)]
        return Verdict(False, headers)
