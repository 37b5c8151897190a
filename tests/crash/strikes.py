"""What is to happen at one of the moments that a line sees go by."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Moment = Literal["before", "after"]


def _nothing() -> None:
    """The line is cut, and that is all."""


@dataclass(slots=True)
class Strike:
    """Something that happens at the k-th step from now, before or after it.

    A step is a COMMIT, or a command to Redis.
    """

    at: int
    moment: Moment
    act: Callable[[], None] = _nothing
    wrote: str = ""
    """Counts only steps by which this was asked, a regular expression."""
    seen: int = 0

    def is_due(self, moment: Moment, statements: Sequence[bytes]) -> bool:
        """Counts one more step; yes: this is the one."""
        if self.moment != moment or not self._fits(statements):
            return False
        self.seen += 1
        return self.seen == self.at

    def _fits(self, statements: Sequence[bytes]) -> bool:
        return any(re.search(self.wrote.encode(), asked) for asked in statements)


class Strikes:
    """Those of one line; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._strikes: list[Strike] = []

    def add(self, strike: Strike) -> None:
        with self._lock:
            self._strikes.append(strike)

    def clear(self) -> None:
        with self._lock:
            self._strikes.clear()

    def strike_now(self, moment: Moment, statements: Sequence[bytes]) -> bool:
        """Yes: it struck, and the line is to be cut."""
        with self._lock:
            due = [s for s in self._strikes if s.is_due(moment, statements)]
            for strike in due:
                self._strikes.remove(strike)
        for strike in due:
            strike.act()
        return bool(due)
