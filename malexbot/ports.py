"""What the core asks of the world: the journal, the jobs, the bookmarks, the chats.

Storage and messengers implement these; `app` hands them in. Whatever writes here
raises `Transient` when it may be repeated whole, which is always safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from malexbot.events import Event

# ---- what intake writes, in one transaction


class Entry(NamedTuple):
    """An event with what intake decided on it."""

    event: Event
    keeps: bool
    """Yes: the archive keeps this post. No: it only updates a post it has."""
    processors: Sequence[str] = ()
    """Who acts on it: one job each."""


class CaughtUp(NamedTuple):
    """A walk forward came so far; with its last page the channel is filled."""

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
    """Edits and deletions are known up to this moment of the server's clock."""

    source: str
    channel_id: str
    until: int
    """The new mark; 0 keeps the old one while a long walk is under way."""
    walk_post_id: str = ""
    """How far such a walk came; "" when there is none."""


class Vanished(NamedTuple):
    """Posts that the server does not have any more."""

    source: str
    channel_id: str
    post_ids: Sequence[str]
    found_at: int


Mark = CaughtUp | WalkedBack | EditsRead | Vanished


class Parcel(NamedTuple):
    """What is written together or not at all: events, and the marks they move."""

    entries: Sequence[Entry]
    marks: Sequence[Mark] = ()


class Journal(Protocol):
    """The one transaction that makes events durable; called by one thread only."""

    def write(self, parcels: Sequence[Parcel]) -> None:
        """Archive rows, jobs and marks, all in one commit.

        A live post moves the mark of its channel only where that is filled for
        the connection of the event. An event that PostgreSQL refuses goes to the
        rejects in the same commit.
        """
        ...

    def pulse(self) -> None:
        """Show that we live, when there is nothing to write."""
        ...


# ---- jobs: everything that acts


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to send or do, rendered; it becomes a job of its own."""

    kind: str
    """Which handler does it: "chat.post", "chat.react", …"""
    target: str
    """Where to: the messenger and channel. Effects of one target keep their order."""
    payload: Mapping[str, Any]
    max_age_s: float | None = None


JobState = Literal["ready", "leased", "done", "dead", "expired", "dropped"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was claimed and is ours until the lease ends."""

    id: int
    kind: str
    """"run" for a processor, else the kind of its effect."""
    name: str
    """The processor, or the target."""
    lane: str
    event: Event | None
    payload: Mapping[str, Any]
    attempts: int
    """How often it was begun, this time included."""
    first_sent_at: float | None
    """Seconds ago that its first, uncertain send began; by the database's clock."""
    epoch: int


class Jobs(Protocol):
    """The one queue of what acts; safe to use from many threads."""

    def claim(self, *, kinds: Sequence[str], limit: int, lease_s: float) -> list[Job]:
        """Of each lane its oldest unfinished job, if it is ready; begun with this."""
        ...

    def finish(self, job: Job, effects: Sequence[Effect], note: str = "") -> None:
        """It is done, and its effects are jobs, in one transaction."""
        ...

    def retry(self, job: Job, *, wait_s: float, reason: str) -> None: ...

    def give_up(self, job: Job, *, state: JobState, reason: str) -> None: ...

    def mark_sending(self, job: Job) -> None:
        """Note durably that the first byte is about to leave."""
        ...

    def due_s(self) -> float | None:
        """When the next job is due, in seconds; None when none waits."""
        ...


# ---- bookmarks: how far each channel was read


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What is known of one channel."""

    channel_id: str
    name: str
    mark_id: str
    """"" before the first post is known."""
    mark_at: int
    filled_for: int
    history_id: str
    """Where the walk through the history stands; "" before it began."""
    is_history_done: bool
    edits_until: int
    edits_walk_id: str
    messages: int
    """total_msg_count at the last look."""
    last_post_at: int


@dataclass(frozen=True, slots=True)
class ChannelNews:
    """What the server says of a channel at this look."""

    channel_id: str
    team_id: str
    type: str
    name: str
    display_name: str
    messages: int
    last_post_at: int
    is_accessible: bool = True


class Bookmarks(Protocol):
    """Connections are numbered, channels remembered, gaps told."""

    def open_connection(self, source: str, reason: str) -> int:
        """Commit the number of a connection before its first event is taken."""
        ...

    def channels(self, source: str) -> dict[str, Bookmark]: ...

    def note(self, source: str, news: Sequence[ChannelNews]) -> None:
        """Remember names and access; never moves a mark."""
        ...

    def looked(self, source: str, news: ChannelNews) -> None:
        """The channel is read up to what it said: the next look may skip it."""
        ...

    def open_gap(self, source: str, channel_id: str, kind: str, reason: str) -> None:
        """For the report; one open gap of a kind a channel."""
        ...

    def close_gap(self, source: str, channel_id: str, kind: str) -> None: ...

    def archived(
        self, source: str, channel_id: str, *, since: int, until: int
    ) -> dict[str, int]:
        """The ids and edit_at of living archived posts, by create_at, ends included."""
        ...


# ---- chats: where answers go


@dataclass(frozen=True, slots=True)
class Sent:
    """What the messenger made of it."""

    post_id: str
    is_repeat: bool = False
    """Yes: it was there already; nothing was sent twice."""


class Chat(Protocol):
    """One messenger, as a place to write to."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        """Post once; the same key within 25 s gives the same post.

        Raises Transient, Permanent or Uncertain.
        """
        ...

    def find(self, payload: Mapping[str, Any], *, key: str) -> Sent | None:
        """Look whether an uncertain send did arrive."""
        ...

    def react(self, payload: Mapping[str, Any]) -> None: ...
