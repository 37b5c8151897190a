"""Jobs are claimed by lease: of each lane the oldest, and all lanes have their turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from malexbot.events import LANES_OF_PERSONS
from malexbot.ports import Job
from malexbot.storage.database import Database
from malexbot.storage.statement import Statement
from malexbot.storage.wire import from_json

# A job that was cut off so often may be what kills us.
MOST_CUT_OFF = 5

# What makes a Job, of a row of `jobs`.
JOB = """
jobs.id, key::text, kind, name, lane, event, payload::text, attempts, failures,
extract(epoch FROM expires_at - clock_timestamp())::float8,
extract(epoch FROM clock_timestamp() - sending_at)::float8, epoch, parent,
coalesce(extract(epoch FROM clock_timestamp() - failing_since)::float8, 0)
"""

_OPEN = "finished_at IS NULL AND kind = ANY(%(kinds)s::text[])"
# What was never begun waits for nothing: not for a clock either that was set back.
_DUE = f"(attempts = 0 OR due_at <= clock_timestamp()) AND {_OPEN}"
# The heads of the lanes, from one lane on, found by jumping from lane to lane in the
# index: no more of them are looked at than it takes to find enough that are due.
_HEAD = """
SELECT lane, id FROM jobs
WHERE finished_at IS NULL AND NOT is_loose AND lane > {after} ORDER BY lane, id LIMIT 1
"""
_HEADS = f"""
WITH RECURSIVE heads (lane, id) AS (
  ({_HEAD.format(after="{after}")})
  UNION ALL
  SELECT next.lane, next.id
  FROM heads CROSS JOIN LATERAL ({_HEAD.format(after="heads.lane")}) next
)
SELECT due.id FROM heads CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE jobs.id = heads.id AND {_DUE} FOR UPDATE SKIP LOCKED
) due WHERE heads.lane {{bound}} LIMIT %(limit)s::int
"""
# The same of people's own lanes, where the bot is called and answers; what it says to
# somebody of its own accord, in the lane that ends with the person, is none of that.
_OWN_HEAD = _HEAD.replace("ORDER", "AND lane < rtrim(person, '@') || 'A' ORDER")
_URGENT = f"""
SELECT due.id FROM unnest(%(persons)s::text[]) AS person CROSS JOIN LATERAL (
  WITH RECURSIVE heads (lane, id) AS (
    ({_OWN_HEAD.format(after="person")})
    UNION ALL
    SELECT next.lane, next.id
    FROM heads CROSS JOIN LATERAL ({_OWN_HEAD.format(after="heads.lane")}) next
  )
  SELECT id FROM heads WHERE lane ~ '@[^:/]*[:/]'
) heads CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE jobs.id = heads.id AND {_DUE} FOR UPDATE SKIP LOCKED
) due LIMIT %(limit)s::int
"""
_LOOSE = f"""
SELECT id FROM jobs
WHERE is_loose AND attempts > 0 AND due_at <= clock_timestamp() AND {_OPEN}
ORDER BY due_at LIMIT %(loose)s::int FOR UPDATE SKIP LOCKED
"""
# Each claim begins behind the last lane of the one before, so that all have a turn; a
# later part is not even looked for when those before it have enough.
_IN_TURN = f"""
loose AS MATERIALIZED ({_LOOSE}),
behind AS MATERIALIZED ({_HEADS.format(after="%(after)s", bound="> %(after)s")}),
before AS MATERIALIZED ({_HEADS.format(after="''", bound="<= %(after)s")}),
picked AS MATERIALIZED (
  SELECT id, true AS is_out_of_turn FROM loose
  UNION ALL SELECT id, false FROM behind
  UNION ALL SELECT id, false FROM before
  LIMIT %(limit)s::int
)
"""
_OUT_OF_TURN = f"""
picked AS MATERIALIZED (SELECT id, true AS is_out_of_turn FROM ({_URGENT}) urgent)
"""


def _lease(name: str, picked: str) -> Statement:
    """What was leased and is due again was cut off: who was at it died or lost it."""
    return Statement(
        name,
        f"""
WITH {picked}, judged AS (
  SELECT id, is_out_of_turn,
    state = 'leased' AND attempts - failures >= %(most)s::int AS is_deadly
  FROM jobs JOIN picked USING (id)
)
UPDATE jobs SET
  state = CASE WHEN is_deadly THEN 'dead' ELSE 'leased' END,
  finished_at = CASE WHEN is_deadly THEN clock_timestamp() END,
  reason = CASE WHEN is_deadly THEN 'was cut off ' || %(most)s::int || ' times'
    ELSE reason END,
  attempts = attempts + CASE WHEN is_deadly THEN 0 ELSE 1 END,
  epoch = %(epoch)s, started_at = clock_timestamp(),
  due_at = clock_timestamp() + %(lease_s)s * interval '1 second'
FROM judged WHERE jobs.id = judged.id
RETURNING {JOB}, state, is_out_of_turn
""",
    )


_LEASE = _lease("lease_jobs", _IN_TURN)
_LEASE_URGENT = _lease("lease_urgent_jobs", _OUT_OF_TURN)

# At the beginning of a turn. Nobody waits for so long: the clock was another one then,
# of a server before this one.
_VOID = Statement(
    "void_leases",
    """
UPDATE jobs SET due_at = clock_timestamp()
WHERE finished_at IS NULL AND attempts > 0 AND (
  state = 'leased' AND epoch <> %(epoch)s
  OR state = 'ready' AND due_at > clock_timestamp() + interval '10 minutes'
)
""",
)
_EXPIRE = Statement(
    "expire_jobs",
    f"""
WITH gone AS (
  UPDATE jobs SET state = 'expired', finished_at = clock_timestamp(),
    reason = CASE WHEN reason = '' THEN 'too old' ELSE 'too old; ' || reason END
  WHERE id IN (
    SELECT id FROM jobs
    WHERE finished_at IS NULL AND expires_at <= clock_timestamp() AND state = 'ready'
    LIMIT 1000 FOR UPDATE SKIP LOCKED
  )
  RETURNING *
)
SELECT {JOB} FROM gone jobs ORDER BY id
""",
)

# Of those behind a job of ours as many as can go along with it: up to the first that
# is not ready, or is of another kind, or would be too much, or too old before the lease
# ends: it would expire on its way.
_BEHIND = Statement(
    "jobs_behind",
    f"""
WITH waiting AS (
  SELECT jobs.*, head.kind = jobs.kind AND jobs.state = 'ready'
      AND (jobs.attempts = 0 OR jobs.due_at <= clock_timestamp())
      AND (jobs.expires_at IS NULL OR jobs.expires_at > head.due_at) AS is_ready
  FROM jobs head JOIN jobs ON jobs.lane = head.lane AND jobs.id > head.id
  WHERE head.id = %(id)s AND head.state = 'leased' AND head.epoch = %(epoch)s
    AND head.attempts = %(attempts)s AND NOT head.is_loose
    AND jobs.finished_at IS NULL AND NOT jobs.is_loose
  ORDER BY jobs.id LIMIT %(most)s::int
), counted AS (
  SELECT *, bool_and(is_ready) OVER so_far AS fit,
    sum(octet_length(payload::text)) OVER so_far AS bytes
  FROM waiting WINDOW so_far AS (ORDER BY id)
)
SELECT {JOB} FROM counted jobs WHERE fit AND bytes <= %(most_bytes)s ORDER BY id
""",
)


class Claims:
    """Leases what is due; `claim` is for one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._voided_for: int | None = None
        self._last_lane = ""
        self._crowded = 0

    def claim(
        self, *, epoch: int, kinds: Sequence[str], limit: int, lease_s: float
    ) -> list[Job]:
        terms = {"kinds": list(kinds), "lease_s": lease_s, "most": MOST_CUT_OFF}
        terms["persons"] = list(LANES_OF_PERSONS)
        claimed: list[Job] = []
        # Who pressed or called waits for it, and VK for a minute only: where all have
        # to wait, every other claim looks at them first. One of four does at what has
        # failed for long, and one at neither.
        if self._crowded % 2:
            claimed, _ = self._lease(epoch, _LEASE_URGENT, terms | {"limit": limit})
        terms["loose"] = limit if not self._crowded or self._crowded % 4 == 2 else 0
        has_died = True
        while has_died and len(claimed) < limit:
            terms |= {"after": self._last_lane, "limit": limit - len(claimed)}
            leased, has_died = self._lease(epoch, _LEASE, terms)
            claimed += leased
        self._crowded = self._crowded + 1 if len(claimed) >= limit else 0
        return sorted(claimed, key=lambda job: job.id)

    def _lease(
        self, epoch: int, lease: Statement, terms: dict[str, Any]
    ) -> tuple[list[Job], bool]:
        """And whether some were deadly: then their lanes have other heads now."""
        before = [] if self._voided_for == epoch else [_VOID]
        rows = self._database.fenced_at_once(
            epoch, [*before, lease], terms, is_lasting=False
        )
        self._voided_for = epoch
        leased = [job(*row[:-2]) for row in rows if row[-2] == "leased"]
        self._turn_to(row[4] for row in rows if not row[-1])
        return leased, len(leased) < len(rows)

    def expire(self, epoch: int) -> list[Job]:
        """A thousand at most."""
        rows = self._database.fenced_at_once(epoch, [_EXPIRE], {}, is_lasting=False)
        return [job(*row) for row in rows]

    def behind(self, head: Job, *, most: int, most_bytes: int) -> list[Job]:
        if most < 1 or head.attempts - head.failures > 1:
            return []
        own = {"id": head.id, "epoch": head.epoch, "attempts": head.attempts}
        most_of_all = {"most": most, "most_bytes": most_bytes}
        rows = self._database.at_once([_BEHIND], own | most_of_all)
        return [job(*row) for row in rows]

    def _turn_to(self, lanes: Iterable[str]) -> None:
        """Those that are not behind the last one were found after all that are."""
        behind: list[str] = []
        before: list[str] = []
        for lane in lanes:
            (behind if lane > self._last_lane else before).append(lane)
        self._last_lane = max(before or behind, default=self._last_lane)


def job(id: int, key: str, kind: str, name: str, lane: str, *rest: Any) -> Job:
    """Of the columns JOB."""
    event, payload, attempts, failures, *more = rest
    left_s, sent_ago_s, epoch, parent, failing_s = more
    return Job(
        id=id,
        key=key,
        kind=kind,
        name=name,
        lane=lane,
        event=from_json(event) if event else None,
        payload=orjson.loads(payload) if payload else {},
        attempts=attempts,
        failures=failures,
        left_s=left_s,
        sent_ago_s=sent_ago_s,
        epoch=epoch,
        parent=parent,
        failing_s=failing_s,
    )
