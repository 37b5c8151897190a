"""One target of routes: the line to it, the gate before it, and who is at it now.

What it is to blame for holds up all that is for it, in its order, and nothing else: it
is tried now and then by one job, and the others wait without touching it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from malexbot.config.fields import spelled
from malexbot.config.targets import HttpTarget, Redis
from malexbot.consumers.away import Away
from malexbot.consumers.gate import Gate, Outage, Pass, Shut
from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Again, Done, Postponed
from malexbot.ports import Job
from malexbot.runtime.health import Health

log = logging.getLogger(__name__)

# When one job has tried it so often in vain, for a quarter of an hour or so, it may be
# to blame itself: it is tried beside the others from then on.
MOST_TRIALS = 20
# One that goes and comes is not told each time.
QUIET_S = 60.0


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
        """Hand them over; returns a word for each. Raises what holds of all of them."""
        ...

    def close(self) -> None: ...


class Target:
    """The handler of its jobs; safe to use from many threads."""

    def __init__(
        self, name: str, settings: Redis | HttpTarget, line: Line, *, health: Health
    ) -> None:
        self.name = name
        self.settings = settings
        self.line = line
        self.gate = Gate(rate=settings.rate)
        self.delivered = self.failures = 0
        self._health = health
        self._lock = threading.Lock()
        self._users = 0
        self._is_retired = False
        self._told = ""
        self._back_at = -QUIET_S
        self._trials = (0, 0)

    def __call__(self, job: Job, hold: Hold) -> Done:
        hold.check_for(self.line.timeout_s)
        by = self.gate.enter()
        if isinstance(by, Shut):
            raise _postponed(by.wait_s, by.reason)
        try:
            with self._at_it(by):
                (note,) = self.line.send([job])
        except Away as error:
            if not error.is_certain and self._is_suspect(job):
                raise Transient(str(error)) from error
            raise _postponed(self.gate.wait_s, str(error)) from error
        with self._lock:
            self.delivered += 1
        return Done(note=note)

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
            is_idle = not self._users
        self._health.forget(self.name)
        if is_idle:
            self.line.close()

    @contextmanager
    def _at_it(self, by: Pass) -> Iterator[None]:
        """What becomes of it tells whether the target is there."""
        with self._in_use():
            try:
                yield
            except Away as error:
                self._failed(by, error)
                raise
            except (Permanent, Transient):
                # It has answered.
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
        since = time.strftime("%H:%M:%S", time.localtime(_wall(outage.since)))
        state = f"away since {since}: {outage.reason}"
        self._health.tell(self.name, state, is_ready=True)
        is_blip = outage.failures == 1 and outage.since < self._back_at + QUIET_S
        if outage.reason != self._told and not is_blip:
            self._told = outage.reason
            log.warning(
                "%s takes nothing, what is for it waits: %s", self.name, outage.reason
            )

    def _arrived(self, by: Pass) -> None:
        ended = self.gate.arrived(by)
        if ended is None:
            return
        self._back_at = time.monotonic()
        self._health.forget(self.name)
        if self._told:
            lasted = spelled(round(self._back_at - ended.since))
            log.info("%s takes events again, after %s", self.name, lasted)
        self._told = ""


def _postponed(wait_s: float, reason: str) -> Postponed:
    again = Again(wait_s, reason, is_failure=False, is_of_target=True)
    return Postponed(again)


def _wall(monotonic: float) -> float:
    """When that was by the clock on the wall."""
    return time.time() - time.monotonic() + monotonic
