"""What becomes of a job, by what its handler said or raised: pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from malexbot.errors import ANYTHING, MalexbotError, Permanent, Transient, Uncertain
from malexbot.pipeline.hold import Revoked, TooLate
from malexbot.ports import Effect, End, Job, JobState, LeaseLost, Write
from malexbot.runtime.retry import Backoff

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
# A handler that fails without saying why has a fault: more tries change nothing.
MOST_FAULTS = 3
# A messenger knows a key for so long after it first came in (Mattermost: 30 s).
KEY_KNOWN_S = 30.0
# An uncertain send is repeated so soon that its key is still known even if the repeat
# arrives with the last second of its time-out; else it is looked for, much later.
REPEAT_WITHIN_S = 25.0
LOOK_AFTER_S = 60.0


class Done(NamedTuple):
    """What is to be sent now, a word for the list of jobs, and what is to be kept."""

    effects: Sequence[Effect] = ()
    note: str = ""
    writes: Sequence[Write] = ()
    along: Sequence[Along] = ()
    """What was done along with it: those right behind it in its lane, in order."""


class Again(NamedTuple):
    """Not now."""

    wait_s: float
    reason: str
    is_uncertain: bool = False
    is_failure: bool = True
    """No: it goes on, and is looked at again."""
    is_fault: bool = False
    """Yes: the reason is what somebody's code raised, in words that are not ours."""
    is_of_target: bool = False
    """Yes: where it goes nobody is; its lane waits for that however long, in order."""


class Ended(NamedTuple):
    """Never."""

    state: JobState
    reason: str
    effects: Sequence[Effect] = ()
    """What there is to say of that."""
    writes: Sequence[Write] = ()
    is_fault: bool = False
    along: Sequence[Along] = ()


class Along(NamedTuple):
    """A job that was never begun, since the one before it in its lane took it along."""

    job: Job
    verdict: Done | Ended

    @property
    def end(self) -> End:
        match self.verdict:
            case Done(note=note):
                return End(self.job.id, "done", note)
            case Ended(state, reason):
                return End(self.job.id, state, reason)


Verdict = Done | Again | Ended


class Expired(MalexbotError):
    """It is too late for it."""


class Postponed(MalexbotError):
    """It has to wait for a certain time."""

    def __init__(self, again: Again) -> None:
        super().__init__(again)
        self.again = again


def verdict(job: Job, error: BaseException) -> Verdict | None:
    """What becomes of a job that raised; None: it is not ours to say."""
    reason = told(error)
    is_fault = not isinstance(error, MalexbotError)
    match error:
        case Revoked() | LeaseLost() | TooLate():
            return None
        case Postponed():
            return error.again
        case Expired():
            return Ended("expired", reason)
        case Transient():
            is_of_target = error.is_of_target
            return Again(
                wait_s(job, error),
                reason,
                is_failure=not is_of_target,
                is_of_target=is_of_target,
            )
        case Permanent():
            return Ended("dead", reason)
        case Uncertain():
            return Ended("dead", f"nobody knows whether it was done: {reason}")
        case _ if _faults(job) + 1 >= MOST_FAULTS:
            return Ended("dead", reason, is_fault=is_fault)
        case _:
            return Again(wait_s(job, error), reason, is_fault=is_fault)


def overrun(job: Job, seconds: float) -> Verdict:
    """What becomes of a job whose handler did not come back: a send may have been."""
    reason = f"took longer than {seconds:g} s"
    if _faults(job) + 1 >= MOST_FAULTS:
        return Ended("dead", reason)
    return Again(wait_s(job), reason, is_uncertain=True)


def _faults(job: Job) -> int:
    """How often it failed; what waited for a target until now has not."""
    return job.failures if job.failing_s > 0 else 0


def wait_s(job: Job, error: BaseException | None = None) -> float:
    """Longer from failure to failure; never shorter than the other side asks for.

    It doubles, so since it fails tells how often it did: what only waited did not.
    """
    failures = int(min(job.failures, math.log2(1 + job.failing_s)))
    backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, failures=failures)
    asked_s = error.retry_after_s if isinstance(error, Transient) else None
    return max(backoff.next_s(), asked_s or 0.0)


def is_repeatable(sent_ago_s: float, time_out_s: float) -> bool:
    """Yes: sent again with its key, it is there once."""
    return sent_ago_s <= min(REPEAT_WITHIN_S, KEY_KNOWN_S - time_out_s)


def uncertain_wait_s(
    job: Job, error: Exception, *, sent_ago_s: float, time_out_s: float
) -> float:
    """Soon enough to repeat it with its key, else late enough to look for it."""
    seconds = wait_s(job, error)
    if is_repeatable(sent_ago_s + seconds, time_out_s):
        return seconds
    return max(seconds, until_look_s(sent_ago_s))


def until_look_s(sent_ago_s: float) -> float:
    """A little more than needed: two clocks and their fractions are involved."""
    return LOOK_AFTER_S - sent_ago_s + 0.5


def told(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except ANYTHING:  # its words are a plugin's too
        return f"{name}, which cannot tell why"
    return text if isinstance(error, MalexbotError) else f"{name}: {text}"
