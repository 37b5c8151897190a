"""What a rule may build and do, so that none takes the daemon's time or memory.

Text is at most `MOST_ITEMS` long, whatever makes it; all that one evaluation makes,
together, is at most `MOST_EFFORT`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

# What a rule may build in one step, and how often a loop may go around.
MOST_ITEMS = 100_000
MOST_TURNS = 1_000
# What all steps of one evaluation may build; some tenths of a second.
MOST_EFFORT = 10_000_000


class TooMuch(ArithmeticError):
    """A rule builds more than any answer needs."""


class Effort(threading.local):
    """What the rule that this thread evaluates may still do."""

    left = MOST_EFFORT

    def begin(self) -> None:
        self.left = MOST_EFFORT

    def spend(self, size: int) -> None:
        if size > MOST_ITEMS:
            raise TooMuch(f"more than {MOST_ITEMS} characters or items")
        self.work(size + 1)

    def work(self, count: int) -> None:
        """Take so many steps that build nothing."""
        self.left -= count
        if self.left < 0:
            raise TooMuch("it does more than any answer needs")

    def bounded(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """The same filter, of and for things that are not too big."""

        @functools.wraps(make)
        def filtered(*given: Any, **named: Any) -> Any:
            for value in (*given, *named.values()):
                self.spend(size(value))
            made = make(*given, **named)
            self.spend(size(made))
            return made

        return filtered

    def shown(self, value: Any) -> Any:
        """What is to be written; a list in a list is long sooner than it looks."""
        self.spend(size(value))
        return value

    def times(self, left: Any, right: Any) -> Any:
        for many, count in ((left, right), (right, left)):
            if isinstance(many, str):
                self.spend(len(many) * max(0, count))
            elif hasattr(many, "__len__"):
                raise TooMuch("only text is repeated by `*`")
        return left * right

    def replaced(self, text: Any, old: Any, new: Any, count: int = -1) -> str:
        before, old, new = str(text), str(old), str(new)
        self.spend(len(before) + before.count(old) * len(new))
        return before.replace(old, new, count)

    def joined(self, items: Iterable[Any], separator: Any = "") -> str:
        parts = [str(self.shown(item)) for item in self.turns(items)]
        self.spend(sum(map(len, parts)) + len(str(separator)) * len(parts))
        return str(separator).join(parts)

    def turns(self, items: Iterable[Any]) -> list[Any]:
        """What a loop goes around."""
        turns = list(islice(items, MOST_TURNS + 1))
        if len(turns) > MOST_TURNS:
            raise TooMuch(f"more than {MOST_TURNS} turns")
        self.spend(len(turns))
        return turns


def size(value: Any) -> int:
    """How many characters and items it has, those within its items too."""
    return sum(islice(_sizes(value), MOST_ITEMS + 1))


def _sizes(value: Any) -> Iterator[int]:
    if isinstance(value, str | bytes):
        yield len(value)
    elif isinstance(value, Mapping):
        for part in value.items():
            yield from _sizes(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _sizes(part)
    yield 1
