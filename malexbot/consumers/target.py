"""One target of routes: the line to it, the gate before it, and who is at it now.

What it is to blame for holds up all that is for it, in its order, and nothing else: it
is tried now and then by one job, and the others wait without touching it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Protocol

from malexbot.config.fields import spelled
from malexbot.config.targets import HttpTarget, Redis
from malexbot.consumers.away import Away, Closed
from malexbot.consumers.gate import LONGEST_WAIT_S, Gate, Outage, Pass, Shut
from malexbot.consumers.parcel import place
from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Again, Along, Done, Ended, Postponed
from malexbot.ports import LANE_HELD_S, Job, Jobs
from malexbot.runtime.health import Health
from malexbot.runtime.retry import Backoff

log = logging.getLogger(__name__)

# When one job has tried it so often in vain, for a quarter of an hour or so, it may be
# to blame itself: it is tried beside the others from then on.
MOST_TRIALS = 20
# So much of what waits is taken along in one go.
MOST_BYTES = 2**20
# One that goes and comes, for so short a time, is not told each time.
QUIET_S = 60.0
BLIP_S = 10.0


class Line(Protocol):
    """How events get to a target; safe to use from many threads."""

    @property
    def timeout_s(self) -> float:
        """How long handing them over may take."""
        ...

    def look(self) -> str:
        """What is wrong with how it is set up; "" if nothing is, as far as it tells."""
        ...

    def send(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Hand them over; returns a word for each of the first that were, or of all.

        Raises if not even the first one was; then nothing may be said of the others.
        """
        ...

    def close(self) -> None: ...


class Target:
    """The handler of its jobs; safe to use from many threads."""

    def __init__(
        self,
        name: str,
        settings: Redis | HttpTarget,
        line: Line,
        *,
        jobs: Jobs,
        health: Health,
    ) -> None:
        self.name = name
        self.settings = settings
        self.line = line
        self._jobs = jobs
        self.gate = Gate(rate=settings.rate)
        self.delivered = self.failures = self.dead = self.expired = 0
        self._health = health
        self._lock = threading.Lock()
        self._users = 0
        self._is_retired = False
        self._told = ""
        self._back_at = -math.inf
        self._trials = (0, 0)
        self._alone = 0

    def __call__(self, job: Job, hold: Hold) -> Done | Ended:
        by = self.gate.enter(job.lane)
        if isinstance(by, Shut):
            raise _postponed(by.wait_s, by.reason)
        # Who tries whether it is back does that alone.
        jobs = [job] if by.is_trial else self._together(job)
        self.gate.charge(len(jobs) - 1)
        ends: list[Along] = []
        try:
            with self._at_it(by):
                for end in self._hand_over(jobs, hold):
                    ends.append(end)
        except MalexbotError as error:
            # Those that were not handed over stay as they were, behind this one.
            if not ends:
                raise self._meant(jobs, error) from error
        return self._counted(ends)

    def _together(self, job: Job) -> list[Job]:
        """With those behind it that go there too, as many as may go in one go."""
        most = self.settings.batch
        if self._alone:
            self._alone -= 1
            return [job]
        if rate := self.settings.rate:
            most = min(most, max(1, int(rate)))
        behind = self._jobs.behind(job, most=most - 1, most_bytes=MOST_BYTES)
        same = takewhile(lambda other: place(other) == place(job), behind)
        return [job, *same]

    def _hand_over(self, jobs: Sequence[Job], hold: Hold) -> Iterator[Along]:
        """In their order, until one fails. Of many that are refused one is to blame.

        The first goes alone then: in two goes something is known of it, however slow.
        """
        parts, is_begun = [jobs], False
        while parts and not (is_begun and self._is_late(hold)):
            part = parts.pop(0)
            # Just now: a process may be stopped at any moment, and begin again.
            hold.check_for(self.line.timeout_s)
            try:
                words = self.line.send(part)
            except (Permanent, Transient) as error:
                if len(part) > 1 and not isinstance(error, Away):
                    middle = (len(part) + 1) // 2
                    some = part[:1], part[1:middle], part[middle:]
                    parts[:0] = filter(None, some)
                    continue
                if not isinstance(error, Permanent):
                    raise
                ends = [Along(part[0], Ended("dead", str(error)))]
            else:
                told = zip(part, words, strict=False)
                ends = [Along(job, Done(note=word)) for job, word in told]
            yield from ends
            is_begun = True
            if left := part[len(ends) :]:
                parts.insert(0, left)

    def _is_late(self, hold: Hold) -> bool:
        """Yes: what comes next might not be told of in time."""
        return min(hold.lease.left_s, hold.time_out.left_s) <= self.line.timeout_s

    def _meant(self, jobs: Sequence[Job], error: MalexbotError) -> MalexbotError:
        """What it means for the first job when not even it was handed over."""
        job = jobs[0]
        if isinstance(error, Closed):
            # Of the target, so no failure of the job; but each time it waits longer.
            wait_s = Backoff(longest_s=LONGEST_WAIT_S, failures=job.failures).next_s()
            return Postponed(Again(wait_s, str(error), is_of_target=True))
        if not isinstance(error, Away):
            return error
        if not error.is_certain:
            # One of them may have silenced it: it is found when each goes alone.
            self._alone = len(jobs) - 1 or self._alone
            if self._is_suspect(job):
                # At once: when it is due again the gate is shut, by this very failure.
                return Postponed(Again(LANE_HELD_S + 1, str(error)))
        return _postponed(self.gate.wait_s, str(error))

    def _counted(self, ends: Sequence[Along]) -> Done | Ended:
        delivered = sum(isinstance(end.verdict, Done) for end in ends)
        with self._lock:
            self.delivered += delivered
            self.dead += len(ends) - delivered
        (_, verdict), *along = ends
        return verdict._replace(along=tuple(along))

    @property
    def is_up(self) -> bool:
        """Yes, as far as anybody knows."""
        return self.gate.outage is None

    def counted(self) -> Iterator[tuple[str, int]]:
        """What became of the events that were for it."""
        yield from (("delivered", self.delivered), ("dead", self.dead))
        yield "expired", self.expired

    def note_expired(self) -> None:
        with self._lock:
            self.expired += 1

    def look(self) -> None:
        """See whether it is there, and set up as it should be."""
        by = self.gate.enter()
        if isinstance(by, Shut):
            return
        try:
            with self._at_it(by):
                odd = self.line.look()
        except MalexbotError as error:
            log.debug("%s: %s", self.name, error)
        else:
            if odd:
                log.warning("%s: %s", self.name, odd)

    def retire(self) -> None:
        """Nobody comes any more: the line is closed once the last one has left."""
        with self._lock:
            self._is_retired = True
            self._health.forget(self.name)
            is_idle = not self._users
        if is_idle:
            self.line.close()

    @contextmanager
    def _at_it(self, by: Pass) -> Iterator[None]:
        """What becomes of it tells whether the target is there."""
        with self._in_use():
            try:
                yield
            except (Permanent, Transient) as error:
                if isinstance(error, Away) and not isinstance(error, Closed):
                    self._failed(by, error)
                else:
                    self._arrived(by)
                raise
            except BaseException:
                self.gate.left(by)
                raise
            self._arrived(by)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                was_last = self._is_retired and not self._users
            if was_last:
                self.line.close()

    def _is_suspect(self, job: Job) -> bool:
        """Yes: again and again the target fell silent when it was given this one."""
        with self._lock:
            last, times = self._trials
            times = times + 1 if last == job.id else 1
            self._trials = (job.id, times)
        return times >= MOST_TRIALS

    # How it is.

    def _failed(self, by: Pass, error: Away) -> None:
        with self._lock:
            self.failures += 1
        reason = str(error).removeprefix(f"{self.name}: ")
        if outage := self.gate.failed(by, reason, error.retry_after_s):
            self._tell_away(outage)

    def _tell_away(self, outage: Outage) -> None:
        now = self.gate.now()
        since = time.strftime(
            "%H:%M:%S", time.localtime(time.time() - now + outage.since)
        )
        state = f"away since {since}: {outage.reason}"
        with self._lock:
            # Another one may have its name by now.
            if self._is_retired:
                return
            self._health.tell(self.name, state, is_ready=True)
        is_blip = now < min(self._back_at + QUIET_S, outage.since + BLIP_S)
        if outage.reason != self._told and not is_blip:
            self._told = outage.reason
            log.warning(
                "%s takes nothing, what is for it waits: %s", self.name, outage.reason
            )

    def _arrived(self, by: Pass) -> None:
        ended = self.gate.arrived(by)
        if ended is None:
            return
        self._back_at = self.gate.now()
        with self._lock:
            if not self._is_retired:
                self._health.forget(self.name)
        if self._told:
            lasted = spelled(round(self._back_at - ended.since))
            log.info("%s takes events again, after %s", self.name, lasted)
        self._told = ""


def _postponed(wait_s: float, reason: str) -> Postponed:
    again = Again(wait_s, reason, is_failure=False, is_of_target=True)
    return Postponed(again)
