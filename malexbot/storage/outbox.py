"""The outbox: messages of an operator, made jobs by hand, each key once.

What is put there is a job that is done already, and its parts are jobs of the lane of
their target, as a processor's effects are: the active daemon sends them by the same
rules. A key is one of a target; the index of the jobs keeps it from being used twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from malexbot.ports import Grant
from malexbot.storage import grants
from malexbot.storage.database import Database
from malexbot.storage.jobs import lane_lock
from malexbot.storage.session import Cursor

SEND = "send"
POST = "chat.post"

# Who makes jobs in a lane that effects go to takes its lock first.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# Who comes second waits here until it is known what became of the first.
_ORDER = """
INSERT INTO jobs (kind, name, lane, event_id, state, reason, finished_at)
VALUES (%(kind)s, %(target)s, %(kind)s || ':' || gen_random_uuid(), %(event_id)s,
  'done', 'by hand', clock_timestamp())
ON CONFLICT (event_id, name) WHERE event_id IS NOT NULL DO NOTHING
RETURNING id
"""
_PARTS = """
INSERT INTO jobs (kind, name, lane, parent, number, payload, expires_at)
SELECT %(kind)s, %(target)s, %(target)s, %(parent)s, number, payload,
  clock_timestamp() + %(max_age_s)s::float8 * interval '1 second'
FROM json_array_elements(%(payloads)s) WITH ORDINALITY AS part (payload, number)
ORDER BY number
"""
_MADE = "SELECT id FROM jobs WHERE parent = %s ORDER BY number"
_FIND = "SELECT id FROM jobs WHERE event_id = %s AND name = %s"


@dataclass(frozen=True, slots=True)
class Order:
    """What was put into the outbox, now or before under the same key."""

    id: int
    parts: Sequence[int]
    """Its jobs, one a message."""
    is_repeat: bool


class Outbox:
    """Works beside a daemon and without one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str, target: str) -> Order | None:
        """What was sent there under this key."""
        with self._database.transaction() as cursor:
            return _found(cursor, key, target)

    def put(
        self,
        target: str,
        payloads: Sequence[Mapping[str, Any]],
        *,
        key: str = "",
        max_age_s: float | None = None,
        granted: Sequence[Grant] = (),
    ) -> Order:
        """Send all of it, in this order; with a key that was used, nothing is made.

        `granted`: what may be pressed on it.
        """
        terms = {
            "kind": SEND,
            "target": target,
            "event_id": _event_id(key) if key else None,
        }
        with self._database.transaction() as cursor:
            cursor.execute(_LOCK, (lane_lock(target),))
            cursor.execute(_ORDER, terms)
            if made := cursor.fetchone():
                parts = orjson.dumps(list(payloads)).decode()
                terms |= {"kind": POST, "parent": made[0], "payloads": parts}
                cursor.execute(_PARTS, terms | {"max_age_s": max_age_s})
                if granted:
                    cursor.run(grants.MAKE, grants.made(granted, caused_by=""))
                return Order(made[0], _parts(cursor, made[0]), is_repeat=False)
            found = _found(cursor, key, target)
        assert found is not None, "the key was refused, so it is there"
        return found


def _found(cursor: Cursor, key: str, target: str) -> Order | None:
    cursor.execute(_FIND, (_event_id(key), target))
    found = cursor.fetchone()
    return Order(found[0], _parts(cursor, found[0]), is_repeat=True) if found else None


def _parts(cursor: Cursor, order_id: int) -> Sequence[int]:
    cursor.execute(_MADE, (order_id,))
    return [job_id for (job_id,) in cursor.fetchall()]


def _event_id(key: str) -> str:
    """No event of a messenger has a colon after such a word."""
    return f"{SEND}:{key}"
