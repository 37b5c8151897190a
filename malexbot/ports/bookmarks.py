"""The bookmarks: how far each channel was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


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
    """How far a long walk after edits came, in its own words; "" for none."""
    messages: int
    """total_msg_count at the last look; kept by the mark `Looked`."""
    last_post_at: int
    team_id: str = ""
    type: str = ""
    """O, P, D, G; "" before the server told."""
    team: str = ""
    """Its name at the last look; "" if that is not known, or there is none."""


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
    team: str = ""
    """Its name, as it stands in addresses; a direct channel has none."""


class Feed(NamedTuple):
    """How far a feed was read that keeps its own queue."""

    ts: str
    answered_ago_s: float
    """How long ago it last told anything, by the database's clock."""


class Feeds(Protocol):
    """Where such feeds are read on; the marks `Polled` move them."""

    def open_connection(self, source: str, reason: str) -> int:
        """Commit the number of a connection before its first event is taken."""
        ...

    def feed(self, source: str, feed: str) -> Feed | None:
        """None: it was never read."""
        ...


class Bookmarks(Protocol):
    """Connections are numbered, channels remembered, gaps told."""

    def open_connection(self, source: str, reason: str) -> int:
        """Commit the number of a connection before its first event is taken."""
        ...

    def channels(self, source: str) -> dict[str, Bookmark]: ...

    def note(self, source: str, news: Sequence[ChannelNews]) -> None:
        """Remember names and access; never moves a mark."""
        ...

    def open_gap(self, source: str, channel_id: str, kind: str, reason: str) -> None:
        """For the report; one open gap of a kind a channel."""
        ...

    def open_gaps(
        self, source: str, channel_ids: Sequence[str], kind: str, reason: str
    ) -> None:
        """The same of many channels, in one transaction."""
        ...

    def close_gap(self, source: str, channel_id: str, kind: str) -> None: ...

    def close_gaps(self, source: str, channel_ids: Sequence[str], kind: str) -> None:
        """Those of them that are open."""
        ...

    def archived(
        self, source: str, channel_id: str, *, since: int, until: int
    ) -> dict[str, int]:
        """The ids and edit_at of living archived posts, by create_at, ends included."""
        ...

    def oldest(self, source: str, channel_id: str) -> int:
        """The create_at of the oldest living archived post; 0 when there is none."""
        ...
