"""Runs one job: calls its handler, and writes down what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from malexbot.errors import ANYTHING, MalexbotError, Transient, Unstorable
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.verdicts import (
    Again,
    Done,
    Ended,
    Expired,
    Verdict,
    told,
    verdict,
)
from malexbot.ports import Conflict, Job, Jobs, LeaseLost
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 3.0

# Does the jobs of one kind: what it returns is done, what it raises tells why not. Of
# what it took along it may tell that this was done, though the job itself was not.
Handler = Callable[[Job, Hold], Done | Ended]
# Is told how a job, or a try of it, came to its end, and how many seconds that took.
Listener = Callable[[Job, Verdict, float], None]
# What there is to say of a job that will not be done.
Amends = Callable[[Job, Ended], Ended]


class Work(NamedTuple):
    """A claimed job on its way to a worker."""

    job: Job
    hold: Hold


class After(NamedTuple):
    """What a job leaves to do."""

    work: Work | None = None
    """What its worker goes on with."""
    lanes: Sequence[str] = ()
    """Where something waits that nobody has begun."""


NOTHING = After()


class Runner:
    """Which handler does a job, and how the job ends."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        handlers: Mapping[str, Handler],
        amends: Amends = lambda job, ended: ended,
        ended: Sequence[Listener] = (),
        rest: Callable[[float], object] = lambda seconds: Stop().wait(seconds),
    ) -> None:
        """`ended` are told of every job that came to its end, once that is durable."""
        self._jobs = jobs
        self._handlers = handlers
        self._amends = amends
        self._ended = ended
        self._rest = rest

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._handlers)

    def run(self, work: Work, *, goes_on: bool) -> After:
        """Do it and end it, unless it was taken from us meanwhile.

        Whoever goes on is given what is to be done next: the first thing to send.
        """
        job, hold = work
        while True:
            found = self._do(job, hold)
            if found is None or not hold.take():
                return NOTHING
            try:
                return self._end_in_time(work, found, goes_on or _is_awaited(found))
            except Conflict as error:
                log.debug("job %d is done anew: %s", job.id, error)
                hold.give_back()

    def expire(self) -> None:
        """What has waited for too long comes to its end. Raises Transient."""
        for job in self._jobs.expire():
            self._heard(job, Ended("expired", "too old"), 0.0)

    def _end_in_time(self, work: Work, found: Verdict, goes_on: bool) -> After:
        """However often that has to be tried; raises Conflict if it is in vain."""
        job, hold = work
        backoff = Backoff(first_s=0.1, longest_s=LONGEST_WAIT_S)
        while not hold.lease.is_over:
            following = hold.next() if goes_on else None
            try:
                return self.end(job, found, following, spent_s=hold.spent_s)
            except Conflict:
                raise
            except Unstorable as error:
                found = _without_words(found, error)
            except Transient as error:
                log.debug("job %d cannot be ended yet: %s", job.id, error)
                self._rest(min(backoff.next_s(), hold.lease.left_s))
        log.warning("job %d could not be ended in time: it is begun again", job.id)
        return NOTHING

    def end(
        self,
        job: Job,
        verdict: Verdict,
        following: Hold | None = None,
        *,
        spent_s: float,
    ) -> After:
        """Write down what became of it; raises Transient.

        With a hold, what is to be done next is begun under it.
        """
        if isinstance(verdict, Ended) and not verdict.effects:
            verdict = self._amends(job, verdict)
        try:
            begun = self._write(job, verdict, following)
        except LeaseLost:
            # Also after a commit whose answer was lost: then it is ended as it should.
            log.info("job %d was ended already", job.id)
            return After(None, [job.lane])
        self._heard(job, verdict, spent_s)
        if not isinstance(verdict, Again):
            for each in verdict.along:
                self._heard(each.job, each.verdict, spent_s)
        work = Work(begun, following) if begun and following else None
        return After(work, _waiting(job, verdict, begun))

    def _heard(self, job: Job, verdict: Verdict, spent_s: float) -> None:
        """It came to its end, and that is durable."""
        _tell(job, verdict)
        for listener in self._ended:
            listener(job, verdict, spent_s)

    def _do(self, job: Job, hold: Hold) -> Verdict | None:
        try:
            if job.left_s is not None and job.left_s <= hold.age_s:
                raise Expired("too old")
            return self._handlers[job.kind](job, hold)
        except ANYTHING as error:
            if not isinstance(error, MalexbotError):
                log.error("job %d, %s: a fault", job.id, job.name, exc_info=True)
            return verdict(job, error)

    def _write(self, job: Job, verdict: Verdict, following: Hold | None) -> Job | None:
        match verdict:
            case Done(effects, note, writes, along):
                return self._jobs.finish(
                    job,
                    effects,
                    note,
                    writes=writes,
                    along=[each.end for each in along],
                    lease_s=following.lease_s if following else 0.0,
                )
            case Again(wait_s, reason, is_uncertain, is_of_target=is_of_target):
                self._jobs.retry(
                    job,
                    wait_s=wait_s,
                    reason=reason,
                    is_uncertain=is_uncertain,
                    is_of_target=is_of_target,
                )
            case Ended(state, reason, effects, writes, along=along):
                self._jobs.give_up(
                    job,
                    state=state,
                    reason=reason,
                    effects=effects,
                    writes=writes,
                    along=[each.end for each in along],
                )
        return None


def _without_words(verdict: Verdict, error: Unstorable) -> Ended:
    """What becomes of a job whose handler said what nobody can keep."""
    if isinstance(verdict, Ended):
        raise error
    return Ended("dead", told(error))


def _waiting(job: Job, verdict: Verdict, begun: Job | None) -> list[str]:
    match verdict:
        case Done(effects) | Ended(effects=effects):
            made = [effect.target for effect in effects]
            if begun:
                made.remove(begun.lane)
            return made
        case Again():
            return [job.lane]
    return []


def _is_awaited(verdict: Verdict) -> bool:
    """Yes: somebody may wait for the first of its effects just now."""
    match verdict:
        case Done([first, *_]):
            return first.kind == ANSWER
    return False


def _tell(job: Job, verdict: Verdict) -> None:
    match verdict:
        case Done(note=note):
            log.debug("job %d, %s %s: done %s", job.id, job.kind, job.name, note)
        case Again(wait_s, reason, is_failure=is_failure):
            is_new = is_failure and not job.failures
            level = logging.WARNING if is_new else logging.DEBUG
            words = "job %d, %s %s: again in %.0f s: %s"
            log.log(level, words, job.id, job.kind, job.name, wait_s, reason)
        case Ended("expired", reason):
            log.warning("job %d, %s %s: %s", job.id, job.kind, job.name, reason)
        case Ended(state, reason):
            log.error(
                "job %d, %s %s: %s: %s", job.id, job.kind, job.name, state, reason
            )
