"""Forgets what nobody needs any more, a little at a time: it holds up nobody."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from malexbot.errors import Transient
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database
from malexbot.storage.outbox import SEND

log = logging.getLogger(__name__)

# How often it looks for what may go.
EVERY_S = 3600.0
# A finished job keeps its event from being acted on twice: until that is too old to
# be acted on at all, and a day more.
BEYOND_S = 86_400.0 + 60.0
# Each transaction forgets so many.
_PIECE = 5000
# What was sent by hand under a key is known so long, so that it is not sent again.
KEYS_KEPT_DAYS = 30
# A page that a live event overtook is written within minutes of it.
ECHOES_KEPT_S = 3600.0
# Whoever presses what has expired is told apart for a while from who makes it up.
GRANTS_KEPT_S = 86_400.0

# What was finished so long ago was made even earlier: that has an index. Whose event it
# was that a job came of tells its parent alone, so that goes after all that it made.
_JOBS = f"""
DELETE FROM jobs WHERE id IN (
  SELECT id FROM jobs
  WHERE created_at < now() - %(keep_s)s * interval '1 second'
    AND finished_at < now() - %(keep_s)s * interval '1 second'
    AND NOT EXISTS (SELECT FROM jobs made WHERE made.parent = jobs.id)
    AND NOT EXISTS (
      SELECT FROM jobs sent WHERE sent.id = coalesce(jobs.parent, jobs.id)
        AND sent.kind = {SEND!r} AND sent.event_id IS NOT NULL
        AND sent.created_at >= now() - interval '{KEYS_KEPT_DAYS} days'
    )
  LIMIT %(piece)s
)
"""
_ECHOES = """
DELETE FROM echoes WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM echoes
  WHERE heard_at < now() - %(keep_s)s * interval '1 second' LIMIT %(piece)s
))
"""
_GRANTS = """
DELETE FROM grants WHERE ref IN (
  SELECT ref FROM grants
  WHERE expires_at < now() - %(keep_s)s * interval '1 second'
  LIMIT %(piece)s FOR UPDATE SKIP LOCKED
)
"""
# Buttons that may be pressed for ever get more and more of them.
_USES = """
DELETE FROM grant_uses WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM grant_uses
  WHERE used_at < now() - %(keep_s)s * interval '1 second' LIMIT %(piece)s
))
"""
_WAYS = """
DELETE FROM answer_ways WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM answer_ways
  WHERE used_at < now() - %(keep_s)s * interval '1 second' LIMIT %(piece)s
))
"""


class Upkeep:
    """A service that forgets each hour; safe beside everything else."""

    name = "upkeep"
    is_vital = False

    def __init__(
        self, database: Database, *, longest_age_s: Callable[[], float]
    ) -> None:
        """`longest_age_s`: how old an event may be that a processor still acts on."""
        self._database = database
        self._longest_age_s = longest_age_s

    def run(self, stop: Stop) -> None:
        while not stop.wait(EVERY_S):
            try:
                self.forget()
            except Transient as error:
                log.info("upkeep: not now: %s", error)

    def forget(self) -> None:
        age_s, jobs = self._longest_age_s(), 0
        if math.isfinite(age_s):
            jobs = self.forget_jobs(keep_s=age_s + BEYOND_S)
            self.forget_uses(keep_s=age_s + BEYOND_S)
        log.debug("upkeep: forgot %d jobs, %d echoes", jobs, self.forget_echoes())
        self.forget_grants()

    def forget_jobs(self, *, keep_s: float) -> int:
        """Finished ones, once their events are too old to come in again."""
        return self._forget(_JOBS, keep_s)

    def forget_echoes(self, *, keep_s: float = ECHOES_KEPT_S) -> int:
        """What came for posts that the archive does not keep."""
        return self._forget(_ECHOES, keep_s)

    def forget_uses(self, *, keep_s: float) -> int:
        """Of what was pressed, or answered, by events that were done with long ago."""
        return self._forget(_USES, keep_s) + self._forget(_WAYS, keep_s)

    def forget_grants(self, *, keep_s: float = GRANTS_KEPT_S) -> int:
        """What has expired."""
        return self._forget(_GRANTS, keep_s)

    def _forget(self, statement: str, keep_s: float) -> int:
        forgotten = 0
        while True:
            with self._database.transaction() as cursor:
                cursor.execute(statement, {"keep_s": keep_s, "piece": _PIECE})
                forgotten += cursor.rowcount
                if not cursor.rowcount:
                    return forgotten
