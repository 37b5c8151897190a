"""What malexbot tells of itself to whoever asks it in a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from malexbot.events import Id


class Tally(NamedTuple):
    """What is kept of one channel."""

    posts: int = 0
    replies: int = 0
    first_at: int = 0
    """Milliseconds of the server's clock."""
    people: Sequence[tuple[str, int]] = ()
    """Who wrote how much, the busiest first."""


class Insight(Protocol):
    """Asked within a handler; raises Transient."""

    def parts(self) -> Mapping[str, tuple[str, bool]]:
        """Each part's state, and whether it does its work."""
        ...

    def tally(self, channel: Id) -> Tally: ...
