"""The rejects: what came in and cannot be kept, as it came, for a person to see."""

from __future__ import annotations

from collections.abc import Iterable

from malexbot.ports import Reject
from malexbot.storage.readable import readable
from malexbot.storage.session import Cursor

# A walk meets the same thing each time: it is kept once, and counted.
_KEEP = """
INSERT INTO rejects AS r (source, raw, reason) VALUES (%s, %s, %s)
ON CONFLICT (source, md5(raw)) DO UPDATE
SET times = r.times + 1, last_at = clock_timestamp(), reason = excluded.reason
"""


def keep_rejects(cursor: Cursor, rejects: Iterable[Reject]) -> None:
    for reject in rejects:
        told = readable(reject.source), reject.raw, readable(reject.reason)
        cursor.execute(_KEEP, told)
