"""The server's clock, as well as its answers tell it."""

from __future__ import annotations

import time
from contextlib import suppress
from email.utils import parsedate_to_datetime

# A pong tells milliseconds, a Date header whole seconds: the first one counts for
# so long before the second is good enough.
PONG_COUNTS_S = 300.0
# Whoever asks what time it is may be waited for: the server answers within that.
ASKED_S = 2.0


class ServerClock:
    """Milliseconds of the server now; until it has told, those of this machine."""

    def __init__(self) -> None:
        self._ahead_ms = time.time() * 1000 - time.monotonic() * 1000
        self._pong_at = float("-inf")
        self.is_told = False
        """No: nothing has been heard of the server yet, and ours may be wrong.

        Whoever finds a yes reads the time at once, so it is said last.
        """

    def now_ms(self) -> int:
        return int(self._ahead_ms + time.monotonic() * 1000)

    def note_pong(self, server_ms: int, *, sent_at: float) -> float:
        """It was `server_ms` between `sent_at` (monotonic) and now.

        Returns by how much it is set back, compared with what was known.
        """
        now, before = time.monotonic(), self._ahead_ms if self.is_told else None
        self._ahead_ms = server_ms - (sent_at + now) / 2 * 1000
        self._pong_at = now
        self.is_told = True
        return 0.0 if before is None else max(0.0, before - self._ahead_ms)

    def note_date(self, date: str, *, sent_at: float, is_error: bool = False) -> None:
        """An answer with this Date header came now; one without tells no better.

        `is_error`: who answered may not be the server, but stand before it.
        """
        if is_error and not date:
            return
        now = time.monotonic()
        if now - self._pong_at >= PONG_COUNTS_S:
            with suppress(ValueError, OverflowError):
                seconds = parsedate_to_datetime(date).timestamp()
                # The header cuts the second off: half of one is the best guess.
                self._ahead_ms = seconds * 1000 + 500 - (sent_at + now) / 2 * 1000
        self.is_told = True
