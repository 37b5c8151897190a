"""The archive as it is read: what was kept, and what may be missing in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from malexbot.storage.database import Database
from malexbot.storage.export import snapshot

_CHANNELS = """
SELECT source, channel_id, coalesce(nullif(display_name, ''), name), mark_at,
  greatest(0, last_post_at - mark_at), is_accessible, is_history_done
FROM channels ORDER BY source, 3, channel_id
"""
_GAPS = """
SELECT g.source, g.channel_id, coalesce(nullif(c.display_name, ''), c.name, ''),
  g.kind, g.reason, g.opened_at
FROM gaps g LEFT JOIN channels c USING (source, channel_id)
WHERE g.closed_at IS NULL ORDER BY g.opened_at
"""
# Nobody can fetch it any more, so it is shown for a day and then forgotten.
_LOST = """
SELECT source, channel_id, '', kind, reason, opened_at, closed_at FROM gaps
WHERE kind = 'lost' AND closed_at > clock_timestamp() - interval '1 day'
ORDER BY closed_at
"""
_REJECTS = "SELECT count(*) FROM rejects"
_EARLIER = "SELECT message FROM post_versions WHERE post_id = %s ORDER BY edit_at"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How far a channel was read, for a person."""

    source: str
    channel_id: str
    name: str
    mark_at: int
    lag_ms: int
    """From the newest post that is archived without a gap to the newest there is."""
    is_accessible: bool
    is_history_done: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is still missing, or was and is not to be had any more."""

    source: str
    channel_id: str
    name: str
    kind: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None = None


class Archive:
    """What was kept, for commands and pages; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def posts(self, *, since: int = 0) -> Iterator[Mapping[str, Any]]:
        """All posts under Mattermost's names, the oldest first; deleted ones too.

        It is one moment of the archive, read as it is asked for.
        """
        with snapshot(self._database) as archive:
            for kept in archive.by_time(since=since):
                yield kept.post

    def earlier_texts(self, post_id: str) -> list[str]:
        """What a post said before it was edited, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_EARLIER, (post_id,))
            return [text for (text,) in cursor.fetchall()]

    def channels(self) -> list[ChannelState]:
        with self._database.transaction() as cursor:
            cursor.execute(_CHANNELS)
            return [ChannelState(*row) for row in cursor.fetchall()]

    def gaps(self) -> list[Gap]:
        """The open ones, the oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_GAPS)
            return [Gap(*row) for row in cursor.fetchall()]

    def lost(self) -> list[Gap]:
        """What a messenger lost within a day before it could be read."""
        with self._database.transaction() as cursor:
            cursor.execute(_LOST)
            return [Gap(*row) for row in cursor.fetchall()]

    def rejects(self) -> int:
        """How many different things came in that could not be kept."""
        with self._database.transaction() as cursor:
            cursor.execute(_REJECTS)
            (count,) = cursor.fetchone() or (0,)
        return int(count)
