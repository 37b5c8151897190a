"""Deletes what is older than the archive's retention, a little at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from malexbot.errors import Transient
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database

log = logging.getLogger(__name__)

# How often it looks; a shorter retention counts within that.
LOOK_S = 60.0
# How many looks there are from one deletion to the next.
LOOKS = 60
# Each transaction deletes so many posts, with all that hangs on them.
_PIECE = 500

# Channel by channel: that has an index, all posts by time have none.
_POSTS = """
WITH RECURSIVE known (id) AS (
  SELECT min(channel_id) FROM posts
  UNION ALL
  SELECT (SELECT min(channel_id) FROM posts WHERE channel_id > known.id)
  FROM known WHERE known.id IS NOT NULL
)
DELETE FROM posts WHERE id = ANY (ARRAY(
  SELECT old.id FROM known, LATERAL (
    SELECT id FROM posts
    WHERE channel_id = known.id AND create_at < %(since_ms)s
    ORDER BY create_at LIMIT %(piece)s
  ) old
  LIMIT %(piece)s
))
"""
_REJECTS = """
DELETE FROM rejects WHERE id IN (
  SELECT id FROM rejects WHERE last_at < to_timestamp(%(since_ms)s / 1000.0)
  LIMIT %(piece)s
)
"""
# What was done on events, after all that came of it; orders by hand are known by their
# keys.
_JOBS = """
DELETE FROM jobs WHERE id IN (
  SELECT id FROM jobs
  WHERE created_at < to_timestamp(%(since_ms)s / 1000.0)
    AND finished_at < to_timestamp(%(since_ms)s / 1000.0)
    AND (kind = 'run' OR parent IS NOT NULL)
    AND NOT EXISTS (SELECT FROM jobs made WHERE made.parent = jobs.id)
  LIMIT %(piece)s
)
"""


class Expiry:
    """A service that deletes each hour, and when the retention was made shorter."""

    name = "expiry"
    is_vital = False

    def __init__(
        self,
        database: Database,
        *,
        keep_s: Callable[[], float | None],
        since_ms: Callable[[], int],
    ) -> None:
        """`since_ms`: what was written before this moment is not kept; 0: all is."""
        self._database = database
        self._keep_s = keep_s
        self._since_ms = since_ms

    def run(self, stop: Stop) -> None:
        done_for, looks = None, 0
        while not stop.is_set:
            keep_s = self._keep_s()
            if keep_s != done_for or looks >= LOOKS:
                try:
                    self.expire(stop)
                    done_for, looks = keep_s, 0
                except Transient as error:
                    log.info("expiry: not now: %s", error)
            looks += 1
            stop.wait(LOOK_S)

    def expire(self, stop: Stop | None = None) -> int:
        """Delete all that is too old; returns how many posts that were."""
        since_ms = self._since_ms()
        if since_ms == 0:
            return 0
        posts = self._delete(_POSTS, since_ms, stop)
        for statement in (_REJECTS, _JOBS):
            self._delete(statement, since_ms, stop)
        if posts:
            log.info("expiry: %d posts were too old to be kept", posts)
        return posts

    def _delete(self, statement: str, since_ms: int, stop: Stop | None) -> int:
        deleted = 0
        while not (stop and stop.is_set):
            with self._database.transaction() as cursor:
                cursor.execute(statement, {"since_ms": since_ms, "piece": _PIECE})
                deleted += cursor.rowcount
                if not cursor.rowcount:
                    break
        return deleted
