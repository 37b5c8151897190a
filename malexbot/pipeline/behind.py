"""Remembers in which lanes something may wait behind what is under way."""

from __future__ import annotations

from collections.abc import Iterable


class Behind:
    """Saves a claim after each job that ends; not safe to use from many threads.

    What is made here and not begun at once is `noted`. A claim that finds all there
    is tells what waits now: nothing but what is behind jobs that are under way.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._since: set[str] = set()

    def note(self, lanes: Iterable[str]) -> None:
        self._since.update(lanes)

    def __contains__(self, lane: str) -> bool:
        """Yes: there may be something that the end of this lane's job sets free."""
        return lane in self._known or lane in self._since

    def looking(self) -> None:
        """What is noted from now on the claim that begins may not see."""
        self._known |= self._since
        self._since = set()

    def looked(self, under_way: Iterable[str]) -> None:
        """The claim found all that could be begun."""
        self._known.intersection_update(under_way)
