"""ports.Jobs in memory: it leases, holds lanes and forgets as the real queue does."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from malexbot.events import Event
from malexbot.ports import (
    LANE_HELD_S,
    Effect,
    End,
    GiveBack,
    Job,
    JobState,
    LeaseLost,
    PostKnown,
    Put,
    Seen,
    Write,
)
from tests.support.fakes import Fail, never
from tests.support.grants import MemoryGrants
from tests.support.store import MemoryStore

MOST_CUT_OFF = 5


@dataclass
class Row:
    """A job as the queue keeps it."""

    id: int
    kind: str
    name: str
    lane: str
    event: Event | None
    payload: Mapping[str, Any]
    created_at: float
    state: JobState = "ready"
    attempts: int = 0
    failures: int = 0
    due_at: float = 0.0
    expires_at: float | None = None
    sending_at: float | None = None
    failing_since: float | None = None
    is_loose: bool = False
    is_untouched: bool = False
    epoch: int = 0
    quiet_key: str = ""
    parent: int | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in ("ready", "leased")


class MemoryJobs:
    """ports.Jobs; the grants and the store are those of the same database."""

    def __init__(
        self,
        clock: Callable[[], float],
        fail: Fail = never,
        *,
        grants: MemoryGrants | None = None,
        store: MemoryStore | None = None,
    ) -> None:
        self._clock = clock
        self.fail = fail
        self.grants = grants or MemoryGrants(clock)
        self.store = store or MemoryStore()
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self.rows: dict[int, Row] = {}
        self.epoch = 1
        self._offered: set[tuple[str, str]] = set()

    # As the journal makes them.

    def offer(self, event: Event, processor: str) -> None:
        """A job for a processor; a second one for the same event is none."""
        with self._lock:
            if (event.event_id, processor) not in self._offered:
                self._offered.add((event.event_id, processor))
                lane = f"{event.lane}:{processor}"
                self._add(kind="run", name=processor, lane=lane, event=event)

    def _add(self, **values: Any) -> Row:
        known: dict[str, Any] = {
            "event": None,
            "payload": {},
            "created_at": self._clock(),
        }
        row = Row(id=next(self._ids), due_at=self._clock(), **{**known, **values})
        self.rows[row.id] = row
        return row

    # The port.

    def claim(self, *, kinds: Sequence[str], limit: int, lease_s: float) -> list[Job]:
        with self._lock:
            self.fail("claim")
            now = self._clock()
            claimed: list[Job] = []
            for row in self._heads():
                if len(claimed) == limit:
                    break
                if row.kind in kinds and self._is_due(row, now):
                    if job := self._lease(row, now, lease_s):
                        claimed.append(job)
            self.fail("claimed")
            return claimed

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
        with self._lock:
            self.fail("finish")
            now = self._clock()
            if lease_s and (unheard := self._unheard(job)):
                return self._go_on(unheard, now, lease_s)
            made = self._end(job, "done", note, effects, writes, along)
            begun = self._go_on(made[0], now, lease_s) if made and lease_s else None
            self.fail("finished")
            return begun

    def expire(self) -> list[Job]:
        with self._lock:
            self.fail("expire")
            now, gone = self._clock(), []
            for row in self.of("ready"):
                if row.expires_at is not None and row.expires_at <= now:
                    row.state, row.reason = "expired", "too old"
                    gone.append(self._job(row, now))
            return gone

    def behind(self, job: Job, *, most: int, most_bytes: int) -> list[Job]:
        with self._lock:
            self.fail("behind")
            head, now = self.rows.get(job.id), self._clock()
            if head is None or head.is_loose or job.attempts - job.failures > 1:
                return []
            waiting = [
                row
                for row in self.rows.values()
                if row.is_open and row.lane == head.lane and row.id > head.id
            ]
            fit = itertools.takewhile(
                lambda row: row.state == "ready"
                and row.kind == head.kind
                and (row.expires_at is None or row.expires_at > head.due_at),
                waiting,
            )
            return [self._job(row, now) for row in itertools.islice(fit, most)]

    def _end(
        self,
        job: Job,
        state: JobState,
        reason: str,
        effects: Sequence[Effect],
        writes: Sequence[Write],
        along: Sequence[End],
    ) -> list[Row]:
        """All or nothing; the effects that are jobs now."""
        row, now = self._ours(job), self._clock()
        for end in along:
            other = self.rows[end.job_id]
            other.state, other.reason = end.state, end.reason
            other.attempts += 1
        self.store.require(write for write in writes if isinstance(write, Put | Seen))
        row.state, row.reason = state, reason
        for write in writes:
            self._write(write)
        for effect in effects:
            self.grants.make(effect.grants)
        quiet = {e.terms.quiet_key for e in effects if self._is_quiet(e, now)}
        heard = [e for e in effects if e.terms.quiet_key not in quiet]
        return [self._send(effect, row, now) for effect in heard]

    def _write(self, write: Write) -> None:
        match write:
            case Put():
                self.store.put(write)
            case GiveBack(ref, event_id):
                self.grants.give_back(ref, event_id)
            case PostKnown(refs, post_id):
                self.grants.know_post(refs, post_id)

    def retry(
        self,
        job: Job,
        *,
        wait_s: float,
        reason: str,
        is_uncertain: bool = False,
        is_of_target: bool = False,
    ) -> None:
        with self._lock:
            self.fail("retry")
            row, now = self._ours(job), self._clock()
            row.state, row.reason, row.due_at = "ready", reason, now + wait_s
            row.failures += 1
            row.failing_since = None if is_of_target else row.failing_since or now
            if row.failing_since is not None:
                row.is_loose |= row.due_at > row.failing_since + LANE_HELD_S
            if not is_uncertain:
                row.sending_at = None
            self.fail("retried")

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
        with self._lock:
            self.fail("give_up")
            self._end(job, state, reason, effects, writes, along)
            self.fail("gave_up")

    def mark_sending(self, job: Job) -> None:
        with self._lock:
            self.fail("mark_sending")
            row = self._ours(job)
            if row.due_at <= self._clock():
                raise LeaseLost("the lease is over")
            row.sending_at = self._clock()
            self.fail("marked_sending")

    def due_s(self) -> float | None:
        with self._lock:
            dues = [r.due_at for r in self.rows.values() if r.is_open and r.attempts]
            return max(0.0, min(dues) - self._clock()) if dues else None

    # What a test looks at, and does.

    def of(self, *states: JobState) -> list[Row]:
        with self._lock:
            return [row for row in self.rows.values() if row.state in states]

    def take_over(self) -> None:
        """Another daemon is active: leases of the one before are void."""
        with self._lock:
            self.epoch += 1
            for row in self.of("leased"):
                row.due_at = self._clock()

    # Inside.

    def _heads(self) -> list[Row]:
        """Of each lane the oldest open job, and those that their lane has passed."""
        seen: set[str] = set()
        heads = []
        for row in self.rows.values():
            if row.is_open and (row.is_loose or row.lane not in seen):
                heads.append(row)
                if not row.is_loose:
                    seen.add(row.lane)
        return heads

    def _is_due(self, row: Row, now: float) -> bool:
        return row.due_at <= now

    def _lease(self, row: Row, now: float, lease_s: float) -> Job | None:
        if row.state == "leased" and row.attempts - row.failures >= MOST_CUT_OFF:
            row.state, row.reason = "dead", f"was cut off {MOST_CUT_OFF} times"
            return None
        row.state, row.epoch, row.is_untouched = "leased", self.epoch, False
        row.attempts += 1
        row.due_at = now + lease_s
        return self._job(row, now)

    def _job(self, row: Row, now: float) -> Job:
        return Job(
            id=row.id,
            key=f"key-{row.id}",
            kind=row.kind,
            name=row.name,
            lane=row.lane,
            event=row.event,
            payload=row.payload,
            attempts=row.attempts,
            failures=row.failures,
            left_s=None if row.expires_at is None else row.expires_at - now,
            sent_ago_s=None if row.sending_at is None else now - row.sending_at,
            epoch=row.epoch,
        )

    def _ours(self, job: Job) -> Row:
        row = self.rows[job.id]
        is_ours = (row.epoch, row.attempts) == (job.epoch, job.attempts)
        if row.state != "leased" or not is_ours or job.epoch != self.epoch:
            raise LeaseLost("the job is not ours any more")
        return row

    def _is_quiet(self, effect: Effect, now: float) -> bool:
        key, since = effect.terms.quiet_key, now - effect.terms.quiet_s
        return bool(key) and any(
            row.quiet_key == key and row.created_at > since
            for row in self.rows.values()
        )

    def _unheard(self, job: Job) -> Row | None:
        """What this job's end has begun, and nobody has had in his hands since."""
        ended = self.rows[job.id]
        is_same = (ended.epoch, ended.attempts) == (job.epoch, job.attempts)
        if ended.state != "done" or not is_same or job.epoch != self.epoch:
            return None
        untouched = (row for row in self.of("leased") if row.is_untouched)
        return next((row for row in untouched if row.parent == job.id), None)

    def _go_on(self, row: Row, now: float, lease_s: float) -> Job | None:
        """The first thing to send, unless its lane has others."""
        if row not in self._heads():
            return None
        is_first = row.attempts == 0
        job = self._lease(row, now, lease_s)
        row.sending_at, row.is_untouched = now, is_first
        return replace(job, is_noted=True, sent_ago_s=None) if job else None

    def _send(self, effect: Effect, parent: Row, now: float) -> Row:
        age = effect.terms.max_age_s
        return self._add(
            kind=effect.kind,
            name=effect.target,
            lane=effect.target,
            payload=effect.payload,
            expires_at=None if age is None else now + age,
            quiet_key=effect.terms.quiet_key,
            parent=parent.id,
        )


def job(**values: Any) -> Job:
    """A job that was just claimed for the first time."""
    plain = Job(
        id=1,
        key="key-1",
        kind="chat.post",
        name="mattermost:c1",
        lane="mattermost:c1",
        event=None,
        payload={"channel_id": "c1", "message": "hi"},
        attempts=1,
        failures=0,
        left_s=None,
        sent_ago_s=None,
        epoch=1,
    )
    return replace(plain, **values)
