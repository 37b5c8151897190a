"""The jobs: claimed by lease, ended by who holds it, in the order of their lanes.

A lease is known by its epoch and its attempt: another daemon, a hand or a later claim
makes it worthless. Times are the database's. An unfinished job is ready or leased; of
a leased one `due_at` is the end of its lease, after which it may be claimed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from malexbot.ports import Effect, Job, JobState, LeaseLost
from malexbot.storage.database import Database, Fenced
from malexbot.storage.wire import from_json

# A job that was cut off so often may be what kills us.
MOST_CUT_OFF = 5
# A job that fails holds up those behind it for so long at most.
LANE_HELD_S = 30.0

_DUE = """
finished_at IS NULL AND due_at <= clock_timestamp() AND kind = ANY(%(kinds)s)
"""
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
) due WHERE heads.lane {{bound}} LIMIT %(limit)s
"""
_LOOSE = f"""
SELECT id FROM jobs WHERE is_loose AND attempts > 0 AND {_DUE}
ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# Each claim begins behind the last lane of the one before, so that all have a turn; a
# later part is not even looked for when those before it have enough. What was leased
# and is due again was cut off: the worker, or the daemon, died of it or lost it.
_LEASE = f"""
WITH loose AS MATERIALIZED ({_LOOSE}),
behind AS MATERIALIZED ({_HEADS.format(after="%(after)s", bound="> %(after)s")}),
before AS MATERIALIZED ({_HEADS.format(after="''", bound="<= %(after)s")}),
picked AS MATERIALIZED (
  SELECT id, true AS was_loose FROM loose
  UNION ALL SELECT id, false FROM behind
  UNION ALL SELECT id, false FROM before
  LIMIT %(limit)s
), judged AS (
  SELECT id, was_loose,
    state = 'leased' AND attempts - failures >= %(most)s AS is_deadly
  FROM jobs JOIN picked USING (id)
)
UPDATE jobs SET
  state = CASE WHEN is_deadly THEN 'dead' ELSE 'leased' END,
  finished_at = CASE WHEN is_deadly THEN clock_timestamp() END,
  reason = CASE WHEN is_deadly THEN 'was cut off ' || %(most)s || ' times'
    ELSE reason END,
  attempts = attempts + CASE WHEN is_deadly THEN 0 ELSE 1 END,
  epoch = %(epoch)s, started_at = clock_timestamp(),
  due_at = clock_timestamp() + %(lease_s)s * interval '1 second'
FROM judged WHERE jobs.id = judged.id
RETURNING jobs.id, key::text, kind, name, lane, event, payload::text, attempts,
  failures, extract(epoch FROM expires_at - clock_timestamp())::float8,
  extract(epoch FROM clock_timestamp() - sending_at)::float8, epoch, state, was_loose
"""

_VOID = """
UPDATE jobs SET due_at = clock_timestamp()
WHERE finished_at IS NULL AND attempts > 0 AND state = 'leased' AND epoch <> %(epoch)s;
"""
_EXPIRE = """
UPDATE jobs SET state = 'expired', finished_at = clock_timestamp(),
  reason = CASE WHEN reason = '' THEN 'too old' ELSE 'too old; ' || reason END
WHERE id IN (
  SELECT id FROM jobs
  WHERE finished_at IS NULL AND expires_at <= clock_timestamp() AND state = 'ready'
  LIMIT 1000 FOR UPDATE SKIP LOCKED
);
"""

_OURS = """
WHERE id = %(id)s AND state = 'leased' AND epoch = %(epoch)s AND attempts = %(attempts)s
{more} RETURNING id
"""
_END = f"""
UPDATE jobs SET state = %(state)s, reason = %(reason)s, finished_at = clock_timestamp()
{_OURS.format(more='')}
"""
_RETRY = f"""
UPDATE jobs SET state = 'ready', reason = %(reason)s, failures = failures + 1,
  due_at = clock_timestamp() + %(wait_s)s * interval '1 second',
  failing_since = coalesce(failing_since, clock_timestamp()),
  is_loose = is_loose OR clock_timestamp() + %(wait_s)s * interval '1 second'
    > coalesce(failing_since, clock_timestamp()) + %(held_s)s * interval '1 second',
  sending_at = CASE WHEN %(is_uncertain)s THEN sending_at END
{_OURS.format(more='')}
"""
_SENDING = f"""
UPDATE jobs SET sending_at = clock_timestamp()
{_OURS.format(more='AND due_at > clock_timestamp()')}
"""
_NEXT = """
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM jobs
WHERE finished_at IS NULL AND attempts > 0
"""

# The effects of one job, in their order; a quiet one is left out.
_FINISH = f"""
WITH ended AS ({_END}), made AS (
  INSERT INTO jobs (kind, name, lane, parent, number, payload, expires_at, quiet_key)
  SELECT kind, target, target, ended.id, number, payload::json,
    clock_timestamp() + max_age_s * interval '1 second', quiet_key
  FROM ended, json_to_recordset(%(effects)s) AS effect (
    number int, kind text, target text, payload text, max_age_s float8,
    quiet_key text, quiet_s float8
  )
  WHERE quiet_key IS NULL OR NOT EXISTS (
    SELECT FROM jobs said
    WHERE said.quiet_key = effect.quiet_key AND said.parent <> ended.id
      AND said.created_at > clock_timestamp() - quiet_s * interval '1 second'
  )
  ORDER BY number
)
SELECT id FROM ended
"""
# Two jobs that end at once and have the same key: one of them sees the other.
_QUIET = """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
FROM unnest(%(quiet)s::text[]) AS key;
"""


class DatabaseJobs:
    """Implements ports.Jobs; `epoch` tells the number of the active daemon's turn."""

    def __init__(self, database: Database, *, epoch: Callable[[], int]) -> None:
        self._database = database
        self._epoch = epoch
        self._voided_for: int | None = None
        self._last_lane = ""

    def claim(self, *, kinds: Sequence[str], limit: int, lease_s: float) -> list[Job]:
        epoch = self._epoch()
        terms = {"kinds": list(kinds), "lease_s": lease_s, "most": MOST_CUT_OFF}
        claimed: list[Job] = []
        has_died = True
        while has_died and len(claimed) < limit:
            terms |= {"after": self._last_lane, "limit": limit - len(claimed)}
            before = _EXPIRE if self._voided_for == epoch else _VOID + _EXPIRE
            rows = self._database.fenced_at_once(
                epoch, before + _LEASE, terms, is_lasting=False
            )
            self._voided_for = epoch
            leased = [_job(*row[:-2]) for row in rows if row[-2] == "leased"]
            self._turn_to(row[4] for row in rows if not row[-1])
            claimed += leased
            # A lane whose head was deadly has another one now.
            has_died = len(leased) < len(rows)
        return sorted(claimed, key=lambda job: job.id)

    def _turn_to(self, lanes: Iterable[str]) -> None:
        """Those that are not behind the last one were found after all that are."""
        behind: list[str] = []
        before: list[str] = []
        for lane in lanes:
            (behind if lane > self._last_lane else before).append(lane)
        self._last_lane = max(before or behind, default="")

    def finish(self, job: Job, effects: Sequence[Effect], note: str = "") -> None:
        terms: dict[str, Any] = {"state": "done", "reason": note}
        if not effects:
            return self._hold(job, _END, terms)
        quiet = {effect.terms.quiet_key for effect in effects} - {""}
        rows = [_row(number, effect) for number, effect in enumerate(effects)]
        terms |= {"quiet": sorted(quiet), "effects": orjson.dumps(rows).decode()}
        self._hold(job, _QUIET + _FINISH if quiet else _FINISH, terms)

    def retry(
        self, job: Job, *, wait_s: float, reason: str, is_uncertain: bool = False
    ) -> None:
        terms: dict[str, Any] = {"reason": reason, "wait_s": wait_s}
        terms |= {"is_uncertain": is_uncertain, "held_s": LANE_HELD_S}
        self._hold(job, _RETRY, terms)

    def give_up(self, job: Job, *, state: JobState, reason: str) -> None:
        self._hold(job, _END, {"state": state, "reason": reason})

    def mark_sending(self, job: Job) -> None:
        self._hold(job, _SENDING, {}, is_lasting=True)

    def due_s(self) -> float | None:
        with self._database.transaction() as cursor:
            cursor.execute(_NEXT)
            (seconds,) = cursor.fetchone() or (None,)
        return None if seconds is None else max(0.0, seconds)

    def _hold(
        self,
        job: Job,
        statements: str,
        terms: dict[str, Any],
        *,
        is_lasting: bool = False,
    ) -> None:
        """Say something of a job that is ours; the last statement returns it.

        Before anything leaves the house `mark_sending` makes it last, and with it all
        that came before; the rest may be done again: it is known by its key.
        """
        terms = {**terms, "id": job.id, "attempts": job.attempts}
        try:
            rows = self._database.fenced_at_once(
                job.epoch, statements, terms, is_lasting=is_lasting
            )
        except Fenced as error:
            raise LeaseLost(f"job {job.id} is not ours any more: {error}") from error
        if not rows:
            raise LeaseLost(f"job {job.id} is not ours any more")


def _job(id: int, key: str, kind: str, name: str, lane: str, *rest: Any) -> Job:
    event, payload, attempts, failures, left_s, sent_ago_s, epoch = rest
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
    )


def _row(number: int, effect: Effect) -> dict[str, object]:
    """An effect as the statement reads it that makes it a job."""
    return {
        "number": number,
        "kind": effect.kind,
        "target": effect.target,
        "payload": orjson.dumps(effect.payload, default=dict).decode(),
        "max_age_s": effect.terms.max_age_s,
        "quiet_key": effect.terms.quiet_key or None,
        "quiet_s": effect.terms.quiet_s,
    }
