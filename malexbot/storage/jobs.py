"""The jobs: begun by lease, and ended by who holds it.

A lease is known by its epoch and its attempt: another daemon, a hand or a later claim
makes it worthless. Times are the database's. An unfinished job is ready or leased; of
a leased one `due_at` is the end of its lease, after which it may be claimed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from malexbot.errors import MalexbotError, Unstorable
from malexbot.ports import (
    LANE_HELD_S,
    Conflict,
    Effect,
    End,
    Job,
    JobState,
    LeaseLost,
    Write,
)
from malexbot.storage.claims import JOB, Claims
from malexbot.storage.claims import job as job_of
from malexbot.storage.database import Database, Fenced
from malexbot.storage.failures import DatabaseRefused
from malexbot.storage.plain import to_json
from malexbot.storage.readable import readable
from malexbot.storage.statement import Statement
from malexbot.storage.writes import CHANGED, NOT_OURS, beside

# So many of them make a Job.
_JOB_COLUMNS = 14

_OURS = """
WHERE id = %(id)s AND state = 'leased' AND epoch = %(epoch)s AND attempts = %(attempts)s
{more} RETURNING id
"""
_ENDED = f"""
UPDATE jobs SET state = %(state)s, reason = %(reason)s, finished_at = clock_timestamp()
{_OURS.format(more='')}
"""
_END = Statement("end_job", _ENDED)
_RETRY = Statement(
    "retry_job",
    f"""
UPDATE jobs SET state = 'ready', reason = %(reason)s, failures = failures + 1,
  due_at = clock_timestamp() + %(wait_s)s * interval '1 second',
  failing_since = CASE WHEN NOT %(is_of_target)s
    THEN coalesce(failing_since, clock_timestamp()) END,
  is_loose = is_loose OR NOT %(is_of_target)s
    AND clock_timestamp() + %(wait_s)s * interval '1 second'
    > coalesce(failing_since, clock_timestamp()) + %(held_s)s * interval '1 second',
  sending_at = CASE WHEN %(is_uncertain)s THEN sending_at END
{_OURS.format(more='')}
""",
)
_SENDING = Statement(
    "mark_sending",
    f"""
UPDATE jobs SET sending_at = clock_timestamp()
{_OURS.format(more='AND due_at > clock_timestamp()')}
""",
)
_NEXT = Statement(
    "next_due",
    """
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM jobs
WHERE finished_at IS NULL AND attempts > 0
""",
)

# Two jobs that end at once and say something to one target, or have the same quiet
# key, or write in one space of the store: one of them sees what the other made.
# Whoever makes jobs in a lane that effects go to takes its lock first: then the oldest
# of the lane is known. They are taken in one order, so that nobody waits for who waits
# for him.
_LOCK = Statement(
    "lock_lanes",
    """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
FROM unnest(%(locks)s::text[]) AS key
""",
)
# The effects of one job, in their order; a quiet one is left out. What is known by its
# key has one of its parent's: should the end of that be lost, and it be done anew, its
# effects are the same. The first of them is begun at once, by who ends the job, where
# nothing of its lane is before it (asked by NOT EXISTS, all that waits anywhere would
# be read): its send is noted with these words already.
_FINISH = Statement(
    "finish_job",
    f"""
WITH ended AS ({_ENDED}, key), said AS (
  SELECT effect.*, row_number() OVER (ORDER BY number) = 1 AND %(lease_s)s::float8 > 0
    AND (
      SELECT before.id FROM jobs before WHERE before.lane = target
        AND before.finished_at IS NULL AND NOT before.is_loose ORDER BY id LIMIT 1
    ) IS NULL AS is_begun
  FROM ended, json_to_recordset(%(effects)s) AS effect (
    number int, kind text, target text, payload text, max_age_s float8,
    quiet_key text, quiet_s float8, is_keyed boolean
  )
  WHERE quiet_key IS NULL OR NOT EXISTS (
    SELECT FROM jobs said
    WHERE said.quiet_key = effect.quiet_key AND said.parent <> ended.id
      AND said.created_at > clock_timestamp() - quiet_s * interval '1 second'
  )
), made AS (
  INSERT INTO jobs (key, kind, name, lane, parent, number, payload, expires_at,
    quiet_key, state, attempts, epoch, due_at, started_at, sending_at)
  SELECT CASE WHEN is_keyed THEN md5(ended.key || ':' || number)::uuid
      ELSE gen_random_uuid() END,
    kind, target, target, ended.id, number, payload::json,
    clock_timestamp() + max_age_s * interval '1 second', quiet_key,
    CASE WHEN is_begun THEN 'leased' ELSE 'ready' END, is_begun::int,
    CASE WHEN is_begun THEN %(epoch)s::bigint END,
    clock_timestamp()
      + CASE WHEN is_begun THEN %(lease_s)s::float8 ELSE 0 END * interval '1 second',
    CASE WHEN is_begun THEN clock_timestamp() END,
    CASE WHEN is_begun THEN clock_timestamp() END
  FROM ended, said ORDER BY number
  RETURNING {JOB}, state = 'leased' AS is_begun
)
SELECT made.* FROM ended LEFT JOIN made ON made.is_begun
""",
)


# The answer to a finish was lost: what it began is nobody's. Who has written a row
# last tells whether somebody has had it in his hands since.
_GO_ON = Statement(
    "go_on_with_effect",
    f"""
UPDATE jobs SET started_at = clock_timestamp(), sending_at = clock_timestamp(),
  due_at = clock_timestamp() + %(lease_s)s::float8 * interval '1 second',
  attempts = attempts + 1
WHERE parent = %(id)s AND state = 'leased' AND xmin = (
  SELECT ended.xmin FROM jobs ended WHERE ended.id = %(id)s
    AND ended.epoch = %(epoch)s AND ended.attempts = %(attempts)s
)
RETURNING {JOB}
""",
)


class DatabaseJobs:
    """Implements ports.Jobs; `epoch` tells the number of the active daemon's turn."""

    def __init__(self, database: Database, *, epoch: Callable[[], int]) -> None:
        self._database = database
        self._epoch = epoch
        self._claims = Claims(database)

    def claim(self, *, kinds: Sequence[str], limit: int, lease_s: float) -> list[Job]:
        return self._claims.claim(
            epoch=self._epoch(), kinds=kinds, limit=limit, lease_s=lease_s
        )

    def expire(self) -> list[Job]:
        return self._claims.expire(self._epoch())

    def behind(self, job: Job, *, most: int, most_bytes: int) -> list[Job]:
        return self._claims.behind(job, most=most, most_bytes=most_bytes)

    def finish(
        self,
        job: Job,
        effects: Sequence[Effect],
        note: str = "",
        *,
        writes: Sequence[Write] = (),
        along: Sequence[End] = (),
        lease_s: float = 0.0,
    ) -> Job | None:
        end: dict[str, Any] = {"state": "done", "reason": note, "lease_s": lease_s}
        rows = self._end(job, end, effects, writes, along)
        row = rows[0][:_JOB_COLUMNS] if effects else (None,)
        if row[0] is None:
            return None
        return replace(job_of(*row), is_noted=True, sent_ago_s=None)

    def _end(
        self,
        job: Job,
        end: dict[str, Any],
        effects: Sequence[Effect],
        writes: Sequence[Write],
        along: Sequence[End],
    ) -> list[Any]:
        """All in one transaction; with a lease, what is begun leaves the house now."""
        if not effects and not writes and not along:
            return self._hold(job, [_END], end)
        more = beside(job, effects, writes, along)
        locks = _locks(effects) | more.locks
        before = [*([_LOCK] if locks else ()), *more.statements]
        terms = {**end, **more.terms, "locks": sorted(locks)}
        if not effects:
            return self._hold(job, [*before, _END], terms)
        terms["effects"] = _json(effects)
        goes_on = end["lease_s"] > 0
        # To wait for the disk here, with the lock of a lane, would stop all the others.
        is_lasting = goes_on and not all(effect.is_keyed for effect in effects)
        try:
            return self._hold(job, [*before, _FINISH], terms, is_lasting=is_lasting)
        except LeaseLost:
            if not goes_on:
                raise
            return self._hold(job, [_GO_ON], terms, is_lasting=True)

    def retry(
        self,
        job: Job,
        *,
        wait_s: float,
        reason: str,
        is_uncertain: bool = False,
        is_of_target: bool = False,
    ) -> None:
        terms: dict[str, Any] = {"reason": reason, "wait_s": wait_s}
        terms |= {"is_uncertain": is_uncertain, "held_s": LANE_HELD_S}
        terms["is_of_target"] = is_of_target
        self._hold(job, [_RETRY], terms)

    def give_up(
        self,
        job: Job,
        *,
        state: JobState,
        reason: str,
        effects: Sequence[Effect] = (),
        writes: Sequence[Write] = (),
        along: Sequence[End] = (),
    ) -> None:
        end = {"state": state, "reason": reason, "lease_s": 0.0}
        self._end(job, end, effects, writes, along)

    def mark_sending(self, job: Job) -> None:
        self._hold(job, [_SENDING], {}, is_lasting=True)

    def due_s(self) -> float | None:
        ((seconds,),) = self._database.at_once([_NEXT], {})
        return None if seconds is None else max(0.0, seconds)

    def _hold(
        self,
        job: Job,
        statements: Sequence[Statement],
        terms: dict[str, Any],
        *,
        is_lasting: bool = False,
    ) -> list[Any]:
        """Say something of a job that is ours; the last statement returns a row then.

        Before anything leaves the house the note of it is made to last, and with it
        all that came before; the rest may be done again: it is known by its key.
        """
        terms = {**terms, "id": job.id, "attempts": job.attempts}
        if "reason" in terms:
            terms["reason"] = readable(terms["reason"])
        try:
            rows = self._database.fenced_at_once(
                job.epoch, statements, terms, is_lasting=is_lasting
            )
        except (Fenced, DatabaseRefused) as error:
            if meant := _meant(job, error):
                raise meant from error
            raise
        if not rows:
            raise LeaseLost(f"job {job.id} is not ours any more")
        return rows


def lane_lock(lane: str) -> str:
    """By what the lock of a lane is known."""
    return f"lane {lane}"


def _meant(job: Job, error: Fenced | DatabaseRefused) -> MalexbotError | None:
    """What it tells of the job if a function of ours has refused it."""
    if isinstance(error, Fenced) or error.sqlstate == NOT_OURS:
        return LeaseLost(f"job {job.id} is not ours any more: {error}")
    if error.sqlstate == CHANGED:
        return Conflict(f"job {job.id}: {error}")
    return None


def _locks(effects: Sequence[Effect]) -> set[str]:
    lanes = {lane_lock(effect.target) for effect in effects}
    quiet = {f"quiet {effect.terms.quiet_key}" for effect in effects}
    return lanes | (quiet - {"quiet "})


def _json(effects: Sequence[Effect]) -> str:
    """Raises Unstorable for what a handler said that is no text, or no JSON."""
    return to_json([_row(number, effect) for number, effect in enumerate(effects)])


def _row(number: int, effect: Effect) -> dict[str, object]:
    """An effect as the statement reads it that makes it a job."""
    payload = to_json(effect.payload)
    # JSON can hold a NUL, but no messenger takes it. Of a doubled \\ none begins.
    if r"\u0000" in payload.replace(r"\\", ""):
        raise Unstorable("there is a NUL in what it says")
    return {
        "number": number,
        "kind": effect.kind,
        "target": effect.target,
        "payload": payload,
        "max_age_s": effect.terms.max_age_s,
        "quiet_key": effect.terms.quiet_key or None,
        "quiet_s": effect.terms.quiet_s,
        "is_keyed": effect.is_keyed,
    }
