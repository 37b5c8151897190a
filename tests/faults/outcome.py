"""What was done how often, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# How the judges' complaints begin, and what is counted.
_COLUMNS = {
    "lost": "lost",
    "doubled": "doubled",
    "answered twice": "answered twice",
    "never answered": "never answered",
    "done twice": "done twice",
    "never done": "never done",
    "routed twice": "routed twice",
    "never routed": "never routed",
    "out of order": "routed out of order",
}
COUNTED = (*_COLUMNS, "too late", "wrong", "leaked", "stuck", "panics")


@dataclass
class Outcome:
    """Of one run."""

    done: Counter[str] = field(default_factory=Counter)
    load: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return not self.wrong

    def blame(self, what: str, which: Sequence[str]) -> None:
        if which:
            self.wrong.setdefault(what, []).extend(which)

    def complain(self, complaints: Iterable[str]) -> None:
        """Each says itself under which name it is counted."""
        for complaint in complaints:
            self.blame(_column(complaint), [complaint])


def _column(complaint: str) -> str:
    if complaint.endswith("archived twice"):
        return "doubled"
    starts = (name for name, word in _COLUMNS.items() if complaint.startswith(word))
    return next(starts, "wrong")
