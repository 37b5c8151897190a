"""What went through the intake, as plain numbers that anybody may read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from malexbot.ports import Entry

# What a broken server can send is endless; what we remember of it is not.
MOST_UNKNOWN = 100
OTHERS = "others"


class Counters:
    """Written by the intake alone."""

    def __init__(self, known: Set[str] = frozenset()) -> None:
        self._known = known
        self.events = 0
        self.kept = 0
        """What is durable, here and below."""
        self.jobs = 0
        """Those asked for; what was asked for before makes no second one."""
        self.rejected = 0
        self.batches = 0
        self.failures = 0
        """How often the journal could not be written."""
        self.dropped = 0
        """Events refused because the intake was full: their connection is dropped."""
        self.unknown: Counter[str] = Counter()
        """Names of events that nobody has heard of."""
        self.lag_ms = 0
        """How old the newest live event was when it became durable."""

    def come(self, name: str) -> None:
        """An event of this name came in."""
        self.events += 1
        if name not in self._known:
            is_new = name not in self.unknown and len(self.unknown) >= MOST_UNKNOWN
            self.unknown[OTHERS if is_new else name] += 1

    def add(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.kept += entry.keeps
            self.jobs += len(entry.processors)
