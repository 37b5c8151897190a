"""A point on the monotonic clock that several steps share."""

from __future__ import annotations

import math
import time


class Deadline:
    """So many seconds from now; `Deadline.never()` lies beyond all waiting."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @classmethod
    def never(cls) -> Deadline:
        return cls(math.inf)

    @property
    def left_s(self) -> float:
        return max(0.0, self._at - time.monotonic())

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._at

    def end_now(self) -> None:
        """Whoever shares this deadline finds it over from now on."""
        self._at = time.monotonic()

    def __repr__(self) -> str:
        return f"Deadline({self.left_s:.1f} s left)"
