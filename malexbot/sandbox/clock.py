"""The server's idea of the time, and the ids that it hands out."""

from __future__ import annotations

import random
import time

_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
ID_LENGTH = 26


# Two characters at a time: an id is made for each post and each request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(0, 5 * ID_LENGTH, 10)


def new_id() -> str:
    """26 characters of z-base-32, as the real server makes them.

    Not from the system's random source: that took 30 µs a call, and nothing
    here is a secret.
    """
    bits = random.getrandbits(5 * ID_LENGTH)
    return "".join([_PAIRS[(bits >> shift) & 1023] for shift in _SHIFTS])


def is_id(text: object) -> bool:
    """Yes: it looks like an id; whether anything has that id is another matter."""
    return isinstance(text, str) and len(text) == ID_LENGTH and text.isalnum()


class Clock:
    """Milliseconds since 1970; it can be wrong on purpose, or stand still."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self._frozen_ms: int | None = None

    def now_ms(self) -> int:
        if self._frozen_ms is not None:
            return self._frozen_ms
        return time.time_ns() // 1_000_000 + self._offset_ms

    def shift(self, offset_ms: int) -> None:
        """From now on the server's clock is wrong by so much."""
        self._offset_ms = offset_ms

    def freeze(self, at_ms: int | None = None) -> int:
        """Stand still, so that all that happens has the same millisecond."""
        self._frozen_ms = self.now_ms() if at_ms is None else at_ms
        return self._frozen_ms

    def thaw(self) -> None:
        self._frozen_ms = None
