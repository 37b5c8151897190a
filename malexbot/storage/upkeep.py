"""Forgets what nobody needs any more, a little at a time: it holds up nobody."""

from __future__ import annotations

from malexbot.storage.database import Database

# Each transaction forgets so many.
_PIECE = 5000
# A page that a live event overtook is written within minutes of it.
ECHOES_KEPT_S = 3600.0

# What was finished so long ago was made even earlier: that has an index.
_JOBS = """
DELETE FROM jobs WHERE id IN (
  SELECT id FROM jobs
  WHERE created_at < now() - %(keep_s)s * interval '1 second'
    AND finished_at < now() - %(keep_s)s * interval '1 second'
  LIMIT %(piece)s
)
"""
_ECHOES = """
DELETE FROM echoes WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM echoes
  WHERE heard_at < now() - %(keep_s)s * interval '1 second' LIMIT %(piece)s
))
"""


class Upkeep:
    """What is done now and then; safe beside everything else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget_jobs(self, *, keep_s: float) -> int:
        """Finished ones, once their events are too old to come in again."""
        return self._forget(_JOBS, keep_s)

    def forget_echoes(self, *, keep_s: float = ECHOES_KEPT_S) -> int:
        """What came for posts that the archive does not keep."""
        return self._forget(_ECHOES, keep_s)

    def _forget(self, statement: str, keep_s: float) -> int:
        forgotten = 0
        while True:
            with self._database.transaction() as cursor:
                cursor.execute(statement, {"keep_s": keep_s, "piece": _PIECE})
                forgotten += cursor.rowcount
                if cursor.rowcount < _PIECE:
                    return forgotten
