"""The journal: what intake writes, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from malexbot.events import Event, Id
from malexbot.ports.jobs import Job


class Entry(NamedTuple):
    """An event with what intake decided on it."""

    event: Event
    keeps: bool
    """Yes: the archive keeps this post. No: it only updates a post it has."""
    processors: Sequence[str] = ()
    """Who acts on it: one job each."""
    is_archived: bool = True
    """No: of its messenger the archive has nothing."""

    @property
    def lanes(self) -> list[str]:
        """Where its jobs wait for their turn."""
        return [f"{self.event.lane}:{name}" for name in self.processors]


class CaughtUp(NamedTuple):
    """A walk forward came so far; with its last page the channel is filled.

    It raises the mark and `filled_for`, and lowers neither.
    """

    source: str
    channel_id: str
    post_id: str
    create_at: int
    filled_for: int | None
    """The connection whose live posts continue here; None before the last page."""


class WalkedBack(NamedTuple):
    """A walk through the history, newest first, came so far."""

    source: str
    channel_id: str
    post_id: str
    create_at: int
    is_done: bool


class EditsRead(NamedTuple):
    """Edits and deletions are known up to this moment of the server's clock.

    The last word counts, also an earlier moment: it costs a reading and loses nothing.
    """

    source: str
    channel_id: str
    until: int
    """The new mark; 0 keeps the old one while a long walk is under way."""
    walk_post_id: str = ""
    """How far such a walk came, in its own words; "" when there is none."""


class ReadAnew(NamedTuple):
    """The server's clock was set back: nothing that the marks say holds any more.

    From here on live posts are to move the mark again; all that is older is walked
    through, and compared with the archive.
    """

    source: str
    channel_id: str
    post_id: str
    create_at: int
    filled_for: int | None
    edits_until: int
    """When the comparison began that this asks for."""
    edits_walk_id: str
    """Where it begins, in its own words."""


class Looked(NamedTuple):
    """The channel is read up to these counters: while they stay, a look may skip it.

    They are written with the posts that they count, or a crash between the two
    would hide those posts for good.
    """

    source: str
    channel_id: str
    messages: int
    last_post_at: int


class Vanished(NamedTuple):
    """Posts that the server does not have any more."""

    source: str
    channel_id: str
    post_ids: Sequence[str]
    found_at: int


class Polled(NamedTuple):
    """A feed that keeps its own queue was read up to here."""

    source: str
    feed: str
    ts: str
    """As the messenger writes it."""
    answered_at: float
    """When it told so, by the monotonic clock: what came later may wait there."""


class Lost(NamedTuple):
    """A feed dropped what nobody had read yet: a gap that nobody can fill."""

    source: str
    feed: str
    reason: str
    """It names what is lost, so that the same gap is told once."""


Mark = CaughtUp | WalkedBack | EditsRead | ReadAnew | Looked | Vanished | Polled | Lost


class Reject(NamedTuple):
    """What came in and cannot be an event: kept as it was, for a person to see."""

    source: str
    raw: bytes
    reason: str


Live = Mapping[tuple[str, Id, int], tuple[int, str]]
"""When and which the newest live post was, of each messenger, channel, connection."""


class Parcel(NamedTuple):
    """What is written together or not at all: events, and the marks they move."""

    entries: Sequence[Entry] = ()
    marks: Sequence[Mark] = ()
    rejects: Sequence[Reject] = ()
    passed: Live = {}
    """Live posts of which nothing is kept: they only move the marks."""


class Journal(Protocol):
    """The one transaction that makes events durable; called by one thread only."""

    def write(
        self,
        parcels: Sequence[Parcel],
        *,
        seats: int = 0,
        lease_s: float = 0.0,
        is_behind: bool = False,
    ) -> list[Job]:
        """Archive rows, jobs and marks, all in one commit.

        Of the jobs that it makes, so many may be begun with the lease: those whose
        lanes are free are, and are returned.

        A live post moves the mark of its channel only where that is filled for
        the connection of the event; a little later, while the writer is behind. An
        event that PostgreSQL refuses goes to the rejects in the same commit.
        """
        ...
