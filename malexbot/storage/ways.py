"""The ways of late answers, counted: a server takes only some by each of them."""

from __future__ import annotations

from malexbot.ports import Use
from malexbot.storage.database import Database
from malexbot.storage.statement import Statement

# A response_url of Mattermost serves so often and so long.
MOST_USES = 5
LASTS_S = 30 * 60.0

_LOCK = Statement(
    "lock_way",
    """
SELECT pg_advisory_xact_lock(hashtextextended('way ' || %(event_id)s::text, 0))
""",
)
# The way is as old as the first job of its event.
_USE = Statement(
    "use_way",
    """
WITH before AS (
  SELECT count(*) AS uses, coalesce(bool_or(key = %(key)s::text), false) AS is_repeat
  FROM answer_ways WHERE event_id = %(event_id)s::text
), open AS (
  SELECT is_repeat FROM before
  WHERE (is_repeat OR uses < %(most)s::int) AND NOT EXISTS (
    SELECT FROM jobs WHERE event_id = %(event_id)s::text
      AND created_at < clock_timestamp() - %(lasts_s)s::float8 * interval '1 second'
  )
), noted AS (
  INSERT INTO answer_ways (event_id, key)
  SELECT %(event_id)s::text, %(key)s::text FROM open WHERE NOT is_repeat
)
SELECT is_repeat FROM open
""",
)


class DatabaseWays:
    """Implements ports.AnswerWays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self, event_id: str, *, key: str) -> Use | None:
        terms: dict[str, object] = {"event_id": event_id, "key": key}
        terms |= {"most": MOST_USES, "lasts_s": LASTS_S}
        rows = self._database.at_once([_LOCK, _USE], terms)
        return Use(*rows[0]) if rows else None
