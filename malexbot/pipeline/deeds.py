"""What malexbot has done, as records for the workstream log: ids, and nobody's words.

Where jobs end, batches are written and parts begin to work or cease to: told there,
each thing is told at one place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from malexbot.events import Event, Id
from malexbot.pipeline.runs import RUN
from malexbot.pipeline.verdicts import Again, Done, Ended, Verdict
from malexbot.ports import Job, Parcel
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import Workstream

INTAKE = "intake"
SAVE = "save"
# As much of a reason as tells what it is about.
MOST_NOTED = 200


class Deeds:
    """Listens to the runner, the intake and the health; costs nothing when off."""

    def __init__(
        self, workstream: Workstream, now: Callable[[], float] = time.time
    ) -> None:
        self._workstream = workstream
        self._now = now

    def ended(self, job: Job, verdict: Verdict, spent_s: float) -> None:
        """A job has come to its end, or to that of a try."""
        if self._workstream.takes(is_failure=_is_failure(verdict)):
            self._workstream.note(of_job(job, verdict, spent_s, self._now()))

    def written(self, parcels: Sequence[Parcel], spent_s: float) -> None:
        """A batch is durable."""
        workstream = self._workstream
        if not workstream.takes(is_failure=True):
            return
        tells_all, now = workstream.takes(), self._now()
        for entries, _, rejects, _ in parcels:
            for entry in entries if tells_all else ():
                if entry.keeps:
                    workstream.note(_of_event(entry.event, spent_s, now))
            for reject in rejects:
                source = reject.source
                record = Record(now, INTAKE, "keep", "rejected", spent_s, source=source)
                workstream.note(record)

    def changed(self, part: str, state: str, is_ready: bool) -> None:
        """A part of the daemon began to do its work, or ceased to."""
        if self._workstream.takes(is_failure=not is_ready):
            outcome = "ready" if is_ready else "not ready"
            record = Record(self._now(), part, "part", outcome, note=_short(state))
            self._workstream.note(record)


def of_job(job: Job, verdict: Verdict, spent_s: float, now: float) -> Record:
    """A run and a delivery name their event; what else comes of a run names the run."""
    is_run = job.kind == RUN
    outcome, note = _outcome(verdict)
    event_id, event_type, source, user, peer = _event_of(job)
    return Record(
        at=now,
        who=job.name if is_run else job.kind.partition(".")[0],
        what=job.kind,
        outcome=outcome,
        took_s=spent_s,
        note=_short(note),
        to="" if is_run else job.payload.get("to", job.name),
        job=job.id,
        parent=job.parent,
        attempt=job.attempts,
        event_id=event_id,
        event_type=event_type,
        source=source,
        user=user,
        peer=peer,
    )


def _event_of(job: Job) -> tuple[str, str, str, Id, Id]:
    if job.event is not None:
        return _ids(job.event)
    if isinstance(told := job.payload.get("event"), Mapping):
        ids = _inner(told, "user", "uuid"), _inner(told, "peer", "bpid")
        event_id, event_type = told.get("event_id", ""), told.get("event_type", "")
        return event_id, event_type, told.get("source", ""), *ids
    return job.payload.get("event_id", ""), "", "", "", ""


def _inner(told: Mapping[str, Any], part: str, key: str) -> Id:
    inner = told.get(part)
    return inner.get(key, "") if isinstance(inner, Mapping) else ""


def _ids(event: Event) -> tuple[str, str, str, Id, Id]:
    user, peer = event.user.uuid, event.peer.bpid
    return event.event_id, event.event_type, event.source, user, peer


def _of_event(event: Event, spent_s: float, now: float) -> Record:
    event_id, event_type, source, user, peer = _ids(event)
    return Record(
        at=now,
        who=SAVE,
        what="keep",
        outcome="done",
        took_s=spent_s,
        note="" if event.origin == "live" else event.origin,
        event_id=event_id,
        event_type=event_type,
        source=source,
        user=user,
        peer=peer,
    )


def _is_failure(verdict: Verdict) -> bool:
    match verdict:
        case Done():
            return False
        case Again(is_failure=is_failure):
            return is_failure
    return True


def _outcome(verdict: Verdict) -> tuple[str, str]:
    """And a word on it; what a plugin's own exception says may quote anybody."""
    match verdict:
        case Done(note=note):
            return "done", note
        case Again(reason=reason, is_fault=is_fault):
            return "again", reason.partition(":")[0] if is_fault else reason
        case Ended(state, reason, is_fault=is_fault):
            return state, reason.partition(":")[0] if is_fault else reason


def _short(note: str) -> str:
    """As one line that can be written as JSON, whatever somebody's error quotes."""
    text = " ".join(note[:MOST_NOTED].split())
    return text.encode(errors="replace").decode()
