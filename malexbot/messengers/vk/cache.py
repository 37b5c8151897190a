"""What was told of somebody: kept for some time, and asked for by many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from malexbot.runtime.heart import outside

# Of whom nothing is told, or will not be.
NEGATIVE_COUNTS_S = 60.0
MOST_KEPT = 50_000
# How often who waits for an answer looks up.
TURN_S = 1.0

Known = TypeVar("Known")


class Cache(Generic[Known]):
    """Answers that count for some time, "there is none" included."""

    def __init__(self, counts_s: float, clock: Callable[[], float]) -> None:
        self._counts_s = counts_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[float, Known | None]] = {}
        self._failed: dict[int, float] = {}
        self.hits = 0
        self.misses = 0

    def missing(self, ids: Iterable[int]) -> list[int]:
        """Those of them that have to be asked for, each once."""
        wanted = dict.fromkeys(ids)
        missing = self.unknown(wanted)
        with self._lock:
            self.misses += len(missing)
            self.hits += len(wanted) - len(missing)
        return missing

    def unknown(self, ids: Iterable[int]) -> list[int]:
        """The same, of what was counted before."""
        now = self._clock()
        with self._lock:
            return [id for id in ids if self._kept.get(id, (0.0, None))[0] <= now]

    def get(self, id: int) -> Known | None:
        """What counts now; None if nothing is known."""
        with self._lock:
            until, known = self._kept.get(id, (0.0, None))
            return known if self._clock() < until else None

    def has_failed(self, id: int) -> bool:
        """Yes: it was asked for, and nobody told."""
        with self._lock:
            return self._clock() < self._failed.get(id, 0.0)

    def fail(self, ids: Iterable[int], counts_s: float) -> None:
        """Nobody tells of these now; until it is tried again they have no name."""
        for id in ids:
            self.keep(id, None, counts_s)
            with self._lock:
                self._failed[id] = self._clock() + counts_s

    def keep(self, id: int, known: Known | None, counts_s: float | None = None) -> None:
        """`counts_s`: else as long as such an answer counts."""
        if counts_s is None:
            counts_s = NEGATIVE_COUNTS_S if known is None else self._counts_s
        with self._lock:
            self._failed.pop(id, None)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
                self._failed.clear()
            self._kept[id] = (self._clock() + counts_s, known)


class Together(Generic[Known]):
    """The questions of many threads, in few calls.

    Who comes while one asks waits for it; then the first of them asks for all who
    wait, and the others find what they want in the cache.
    """

    def __init__(
        self, cache: Cache[Known], ask: Callable[[Sequence[int]], None]
    ) -> None:
        """`ask` puts what it learns into the cache, or that nobody told."""
        self._cache = cache
        self._ask = ask
        self._changed = threading.Condition()
        self._is_asking = False
        self._wanted: dict[int, None] = {}

    def learn(self, ids: Iterable[int]) -> None:
        """Afterwards all that can be known of these is in the cache."""
        missing = self._cache.missing(ids)
        if not missing or not (wanted := self._take_turn(missing)):
            return
        try:
            self._ask(wanted)
        finally:
            with self._changed:
                self._is_asking = False
                self._changed.notify_all()

    def _take_turn(self, missing: Sequence[int]) -> Sequence[int]:
        """What to ask for; nothing if others have asked for it."""
        with outside("who asks for names"), self._changed:
            self._wanted |= dict.fromkeys(missing)
            while unknown := self._cache.unknown(missing):
                if not self._is_asking:
                    break
                self._changed.wait(TURN_S)
            if not unknown:
                return ()
            wanted, self._wanted = self._wanted, {}
            self._is_asking = True
            return sorted(self._cache.unknown(wanted))
