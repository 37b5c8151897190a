"""What malexbot tells of itself in a chat, read from its health and the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from malexbot.events import Id
from malexbot.ports.insight import Tally
from malexbot.storage.database import Database

# Who waits for an answer in a chat has gone by then.
PATIENCE_S = 10.0

_TALLY = """
SELECT coalesce(nullif(max(u.name), ''), p.user_id), count(*),
  count(*) FILTER (WHERE p.root_id <> ''), min(p.create_at)
FROM posts p LEFT JOIN people u ON u.user_id = p.user_id
WHERE p.channel_id = %s AND p.delete_at = 0 AND left(p.type, 7) <> 'system_'
GROUP BY p.user_id ORDER BY 2 DESC, 1
"""
# As runtime.health tells them.
States = Callable[[], Mapping[str, Mapping[str, str | bool]]]


class DatabaseInsight:
    """ports.Insight."""

    def __init__(self, database: Database, states: States) -> None:
        self._database = database
        self._states = states

    def parts(self) -> Mapping[str, tuple[str, bool]]:
        return {
            part: (str(told["state"]), bool(told["is_ready"]))
            for part, told in self._states().items()
        }

    def tally(self, channel: Id) -> Tally:
        """What is kept of a channel and not deleted; the server's own posts aside."""
        with self._database.transaction(limit_s=PATIENCE_S) as cursor:
            cursor.execute(_TALLY, (str(channel),))
            rows = cursor.fetchall()
        if not rows:
            return Tally()
        return Tally(
            posts=sum(posts for _, posts, _, _ in rows),
            replies=sum(replies for _, _, replies, _ in rows),
            first_at=min(first for *_, first in rows),
            people=[(name, posts) for name, posts, _, _ in rows],
        )
