"""How the jobs of a batch of events are made: one for each processor that acts."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

from malexbot.events import Event
from malexbot.ports import Entry, Job
from malexbot.storage.copying import copy, escape
from malexbot.storage.session import Cursor
from malexbot.storage.statement import Statement
from malexbot.storage.wire import to_json

TABLE = """
CREATE TEMP TABLE IF NOT EXISTS offers (
  place integer NOT NULL, name text NOT NULL, lane text NOT NULL,
  event_id text NOT NULL, event text NOT NULL
);
"""

_COLUMNS = "place, name, lane, event_id, event"
# Of an event it is the same in every database: what a restored one hands over again is
# known by it.
_KEY = "md5(event_id || ' ' || name)::uuid"
# The same event twice, live and by backfill, is one job; so is a batch written twice.
_MERGE = f"""
INSERT INTO jobs (key, kind, name, lane, event_id, event)
SELECT {_KEY}, 'run', name, lane, event_id, event FROM offers ORDER BY place
ON CONFLICT (event_id, name) WHERE event_id IS NOT NULL DO NOTHING
"""
# The same, where there are seats: who makes a job may begin it if its lane is free.
# Nobody else makes any in these lanes.
_MERGE_AND_BEGIN = Statement(
    "make_jobs_and_begin",
    f"""
WITH free AS (
  SELECT *, row_number() OVER (PARTITION BY lane ORDER BY place) = 1 AND NOT EXISTS (
    SELECT FROM jobs before WHERE before.lane = offers.lane
      AND before.finished_at IS NULL AND NOT before.is_loose
  ) AS is_free
  FROM offers
), seated AS (
  SELECT *, is_free
    AND count(*) FILTER (WHERE is_free) OVER (ORDER BY place) <= %(seats)s AS is_begun
  FROM free
), made AS (
  INSERT INTO jobs (key, kind, name, lane, event_id, event,
    state, attempts, epoch, due_at, started_at)
  SELECT {_KEY}, 'run', name, lane, event_id, event,
    CASE WHEN is_begun THEN 'leased' ELSE 'ready' END, is_begun::int,
    CASE WHEN is_begun THEN %(epoch)s::bigint END,
    clock_timestamp()
      + CASE WHEN is_begun THEN %(lease_s)s::float8 ELSE 0 END * interval '1 second',
    CASE WHEN is_begun THEN clock_timestamp() END
  FROM seated ORDER BY place
  ON CONFLICT (event_id, name) WHERE event_id IS NOT NULL DO NOTHING
  RETURNING id, key::text, name, lane, event_id, state
)
SELECT id, key, name, lane, event_id FROM made WHERE state = 'leased' ORDER BY id
""",
)


class Seats(NamedTuple):
    """How many jobs may be begun, and how."""

    most: int
    lease_s: float
    epoch: int


class Offers:
    """The jobs of one batch: added event by event, then made at once."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._events: dict[str, Event] = {}

    def add(self, entry: Entry) -> None:
        """Raises TypeError for an event that JSON cannot hold."""
        if not entry.processors:
            return
        event = entry.event
        event_id, told = escape(event.event_id), escape(to_json(event))
        # The same one may come live and by backfill: the first is the job's.
        self._events.setdefault(event.event_id, event)
        for processor, lane in zip(entry.processors, entry.lanes, strict=True):
            place = len(self._lines)
            self._lines.append(
                f"{place}\t{escape(processor)}\t{escape(lane)}\t{event_id}\t{told}"
            )

    def merge(self, cursor: Cursor, seats: Seats) -> list[Job]:
        """Make them, in the transaction of `cursor`; the lanes keep their order."""
        if not self._lines:
            return []
        copy(cursor, "offers", _COLUMNS, self._lines)
        if not seats.most:
            cursor.execute(_MERGE)
            return []
        terms = {"seats": seats.most, "lease_s": seats.lease_s, "epoch": seats.epoch}
        cursor.run(_MERGE_AND_BEGIN, terms)
        return [self._job(seats, *row) for row in cursor.fetchall()]

    def _job(
        self, seats: Seats, id: int, key: str, name: str, lane: str, event_id: str
    ) -> Job:
        """As a claim would give it: its own, without the bytes that came."""
        event = self._events[event_id]
        return Job(
            id=id,
            key=key,
            kind="run",
            name=name,
            lane=lane,
            event=event._replace(raw=b"", data=deepcopy(event.data)),
            payload={},
            attempts=1,
            failures=0,
            left_s=None,
            sent_ago_s=None,
            epoch=seats.epoch,
        )
