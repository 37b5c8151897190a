"""The bookmarks: connections are numbered, channels remembered, gaps told.

What moves a mark is written by the journal, with what the mark stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from malexbot.ports import Bookmark, ChannelNews, Feed
from malexbot.storage.database import Database

_CONNECT = "INSERT INTO connections (source, reason) VALUES (%s, %s) RETURNING number"
_CHANNELS = """
SELECT channel_id, name, mark_id, mark_at, filled_for, history_id, is_history_done,
  edits_until, edits_walk_id, messages, last_post_at, team_id, type, team
FROM channels WHERE source = %s
"""
# A channel of which nothing is new is not even locked: the journal may hold it.
_NOTE = """
INSERT INTO channels
  (source, channel_id, team_id, team, type, name, display_name, is_accessible)
SELECT %s, news.* FROM unnest(
  %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
  %s::boolean[]
) AS news (channel_id, team_id, team, type, name, display_name, is_accessible)
WHERE NOT EXISTS (
  SELECT FROM channels c
  WHERE c.source = %s AND c.channel_id = news.channel_id
    AND (c.team_id, c.team, c.type, c.name, c.display_name, c.is_accessible) = (
      news.team_id, news.team, news.type, news.name, news.display_name,
      news.is_accessible
    )
)
ON CONFLICT (source, channel_id) DO UPDATE
SET team_id = excluded.team_id, type = excluded.type, name = excluded.name,
  team = coalesce(nullif(excluded.team, ''), channels.team),
  display_name = excluded.display_name, is_accessible = excluded.is_accessible
"""
_TOLD = (
    *("channel_id", "team_id", "team", "type", "name", "display_name"),
    "is_accessible",
)
_OPEN_GAPS = """
INSERT INTO gaps (source, channel_id, kind, reason)
SELECT %s, channel_id, %s, %s FROM unnest(%s::text[]) AS channel_id
ON CONFLICT (source, channel_id, kind) WHERE closed_at IS NULL
DO UPDATE SET reason = excluded.reason WHERE gaps.reason <> excluded.reason
"""
_CLOSE_GAPS = """
UPDATE gaps SET closed_at = clock_timestamp()
WHERE source = %s AND channel_id = ANY (%s) AND kind = %s AND closed_at IS NULL
"""
_ARCHIVED = """
SELECT id, edit_at FROM posts
WHERE channel_id = %s AND create_at BETWEEN %s AND %s AND delete_at = 0
"""
_FEED = """
SELECT ts, extract(epoch FROM clock_timestamp() - answered_at)::float8 FROM feeds
WHERE source = %s AND feed = %s
"""
_OLDEST = """
SELECT create_at FROM posts WHERE channel_id = %s AND delete_at = 0
ORDER BY create_at LIMIT 1
"""


class DatabaseBookmarks:
    """Implements ports.Bookmarks and Feeds; `epoch` is the number of our turn."""

    def __init__(self, database: Database, *, epoch: Callable[[], int]) -> None:
        self._database = database
        self._epoch = epoch

    def open_connection(self, source: str, reason: str) -> int:
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_CONNECT, (source, reason))
            (number,) = cursor.fetchone() or (0,)
        return int(number)

    def feed(self, source: str, feed: str) -> Feed | None:
        with self._database.transaction() as cursor:
            cursor.execute(_FEED, (source, feed))
            found = cursor.fetchone()
        return Feed(*found) if found else None

    def channels(self, source: str) -> dict[str, Bookmark]:
        with self._database.transaction() as cursor:
            cursor.execute(_CHANNELS, (source,))
            return {row[0]: Bookmark(*row) for row in cursor.fetchall()}

    def note(self, source: str, news: Sequence[ChannelNews]) -> None:
        told = {each.channel_id: each for each in news}.values()
        columns = [[getattr(each, name) for each in told] for name in _TOLD]
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_NOTE, (source, *columns, source))

    def open_gap(self, source: str, channel_id: str, kind: str, reason: str) -> None:
        self.open_gaps(source, [channel_id], kind, reason)

    def open_gaps(
        self, source: str, channel_ids: Sequence[str], kind: str, reason: str
    ) -> None:
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_OPEN_GAPS, (source, kind, reason, list(channel_ids)))

    def close_gap(self, source: str, channel_id: str, kind: str) -> None:
        self.close_gaps(source, [channel_id], kind)

    def close_gaps(self, source: str, channel_ids: Sequence[str], kind: str) -> None:
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_CLOSE_GAPS, (source, list(channel_ids), kind))

    def archived(
        self, source: str, channel_id: str, *, since: int, until: int
    ) -> dict[str, int]:
        with self._database.transaction() as cursor:
            cursor.execute(_ARCHIVED, (channel_id, since, until))
            return dict(cursor.fetchall())

    def oldest(self, source: str, channel_id: str) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(_OLDEST, (channel_id,))
            (create_at,) = cursor.fetchone() or (0,)
        return int(create_at)
