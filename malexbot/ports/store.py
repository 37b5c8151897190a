"""What plugins keep from one event to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Kept(NamedTuple):
    """A value, and which state of it was seen."""

    value: Any
    version: int
    """0: there is none."""


class Store(Protocol):
    """Reads what is kept in a space, which is a plugin's own; raises Transient."""

    def read(self, space: str, key: str) -> Kept: ...

    def scan(self, space: str, prefix: str) -> Mapping[str, Kept]:
        """All that begins with it, by key, in the order of the keys."""
        ...


class Put(NamedTuple):
    """Keep this value, or with None nothing; in the transaction that ends a job.

    Raises Conflict there if somebody wrote the key since `version` was seen. Of one
    key the last Put counts, and the version of the first.
    """

    space: str
    key: str
    value: Any
    version: int | None = None
    """None: whatever is there."""


class Seen(NamedTuple):
    """What was read there counts still; raises Conflict as a Put does."""

    space: str
    key: str
    version: int


class GiveBack(NamedTuple):
    """What an event took of a grant was not used after all."""

    ref: str
    event_id: str


class PostKnown(NamedTuple):
    """The post that carries these grants is there."""

    refs: tuple[str, ...]
    post_id: str


Write = Put | Seen | GiveBack | PostKnown
