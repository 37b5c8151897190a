"""The jobs as a person sees them: listed, shown, retried, dropped, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from malexbot.ports import JobState
from malexbot.storage.database import Database

_ROW = """
SELECT id, kind, name, lane, state, attempts, reason, event_id, parent,
  created_at, due_at, finished_at, event, payload::text
FROM jobs
"""
# What people call it: a processor, a target with its buttons, or all of a kind.
_OF = "%(of)s IN ('', kind, name, split_part(name, ' ', 1))"
_LIST = f"""
{_ROW} WHERE state = ANY(%(states)s) AND {_OF} ORDER BY id DESC LIMIT %(limit)s
"""
_SHOW = f"{_ROW} WHERE id = %s"
# Its lane went on long ago, and is not held up: what is retried has a lane beside it,
# in which it keeps its order and goes along with others as ever. That it failed or was
# cut off is forgiven. A processor would find its event too old: a person finds that it
# is not.
_AGAIN = r"""
UPDATE jobs SET state = 'ready', finished_at = NULL, due_at = clock_timestamp(),
  expires_at = NULL, failing_since = NULL, is_loose = false,
  lane = regexp_replace(lane, '( \(again\))?$', ' (again)'),
  attempts = greatest(attempts, 1), failures = greatest(attempts, 1),
  reason = 'retried by hand',
  payload = CASE WHEN kind = 'run' THEN '{"by_hand": true}' ELSE payload END
"""
_RETRY = f"{_AGAIN} WHERE id = %s AND state IN ('dead', 'expired', 'dropped')"
_RETRY_ALL = f"{_AGAIN} WHERE state = %(state)s AND {_OF}"
_DROP = """
UPDATE jobs SET state = 'dropped', finished_at = clock_timestamp(),
  reason = 'dropped by hand'
WHERE id = %s AND state NOT IN ('done', 'dropped')
"""
# In a lane of its own: it waits for nobody.
_ORDER = """
INSERT INTO jobs (kind, name, lane, payload)
VALUES (%s, %s, %s || ':' || gen_random_uuid(), %s) RETURNING id
"""
_ORDERED = """
SELECT id FROM jobs
WHERE finished_at IS NULL AND kind = %s AND name = %s AND payload::jsonb = %s::jsonb
ORDER BY id LIMIT 1
"""
_COUNT = "SELECT state, count(*) FROM jobs GROUP BY state"
_WAITING = """
SELECT kind, count(*) FROM jobs
WHERE finished_at IS NULL AND kind = ANY(%s) GROUP BY kind
"""
_ALL: tuple[JobState, ...] = (
    "ready",
    "leased",
    "done",
    "dead",
    "expired",
    "dropped",
)


@dataclass(frozen=True, slots=True)
class JobView:
    """One job, for a person."""

    id: int
    kind: str
    name: str
    lane: str
    state: JobState
    attempts: int
    reason: str
    event_id: str | None
    parent: int | None
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    event: str | None
    payload: str | None


class Backlog:
    """All jobs, finished ones too; works beside a daemon and without one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, *states: JobState, limit: int = 100, of: str = "") -> list[JobView]:
        """The newest first; of all states, and of whatever, when none is named."""
        terms = {"states": list(states or _ALL), "limit": limit, "of": of}
        with self._database.transaction() as cursor:
            cursor.execute(_LIST, terms)
            return [JobView(*row) for row in cursor.fetchall()]

    def show(self, job_id: int) -> JobView | None:
        with self._database.transaction() as cursor:
            cursor.execute(_SHOW, (job_id,))
            found = cursor.fetchone()
        return JobView(*found) if found else None

    def retry(self, job_id: int) -> bool:
        """No: it is not there, or is not one that was given up."""
        return self._change(_RETRY, job_id)

    def retry_all(self, state: Literal["dead", "expired"], *, of: str = "") -> int:
        """All that are so; returns how many there were."""
        with self._database.transaction() as cursor:
            cursor.execute(_RETRY_ALL, {"state": state, "of": of})
            return cursor.rowcount

    def drop(self, job_id: int) -> bool:
        """No: it is not there, or is done or dropped. Who runs it loses its lease."""
        return self._change(_DROP, job_id)

    def order(self, kind: str, name: str, payload: Mapping[str, Any]) -> int:
        """Make a job by hand, unless the same one is not finished yet; its id."""
        told = orjson.dumps(payload).decode()
        with self._database.transaction() as cursor:
            cursor.execute(_ORDERED, (kind, name, told))
            found = cursor.fetchone()
            if found is None:
                cursor.execute(_ORDER, (kind, name, kind, told))
                found = cursor.fetchone()
        (job_id,) = found or (0,)
        return int(job_id)

    def count(self) -> dict[str, int]:
        """How many there are, by state."""
        with self._database.transaction() as cursor:
            cursor.execute(_COUNT)
            counts: dict[str, int] = dict.fromkeys(_ALL, 0)
            return counts | dict(cursor.fetchall())

    def waiting(self, kinds: Sequence[str]) -> dict[str, int]:
        """How many of these kinds are not done yet."""
        with self._database.transaction() as cursor:
            cursor.execute(_WAITING, (list(kinds),))
            return dict.fromkeys(kinds, 0) | dict(cursor.fetchall())

    def _change(self, statement: str, job_id: int) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(statement, (job_id,))
            return bool(cursor.rowcount)
