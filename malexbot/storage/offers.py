"""How the jobs of a batch of events are made: one for each processor that acts."""

from __future__ import annotations

from malexbot.ports import Entry
from malexbot.storage.copying import copy, escape
from malexbot.storage.session import Cursor
from malexbot.storage.wire import to_json

TABLE = """
CREATE TEMP TABLE IF NOT EXISTS offers (
  place integer NOT NULL, name text NOT NULL, lane text NOT NULL,
  event_id text NOT NULL, event text NOT NULL
);
"""

_COLUMNS = "place, name, lane, event_id, event"
# The same event twice, live and by backfill, is one job; so is a batch written twice.
_MERGE = """
INSERT INTO jobs (kind, name, lane, event_id, event)
SELECT 'run', name, lane, event_id, event FROM offers ORDER BY place
ON CONFLICT (event_id, name) WHERE event_id IS NOT NULL DO NOTHING
"""


class Offers:
    """The jobs of one batch: added event by event, then made at once."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, entry: Entry) -> None:
        """Raises TypeError for an event that JSON cannot hold."""
        if not entry.processors:
            return
        event = entry.event
        event_id, told = escape(event.event_id), escape(to_json(event))
        for processor in entry.processors:
            lane = escape(f"{event.lane}:{processor}")
            place = len(self._lines)
            self._lines.append(
                f"{place}\t{escape(processor)}\t{lane}\t{event_id}\t{told}"
            )

    def merge(self, cursor: Cursor) -> None:
        """Make them, in the transaction of `cursor`; the lanes keep their order."""
        if self._lines:
            copy(cursor, "offers", _COLUMNS, self._lines)
            cursor.execute(_MERGE)
