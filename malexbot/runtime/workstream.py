"""The workstream log: what malexbot does, told to somebody beside its way.

Who has done something leaves a record here and goes on: that is all it costs. What
waits is bounded; what does not fit, or is not taken, is dropped and counted. So each
record is told once at most, and nobody ever waits for who is told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from malexbot.errors import ANYTHING, MalexbotError, Permanent, Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import beat, outside
from malexbot.runtime.masks import Mask
from malexbot.runtime.record import DROPPED, Record
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

PART = "workstream"
# Some 10 MB.
MOST_WAITING = 20_000
# Nobody wakes who tells them: that would cost more than the record.
TURN_S = 0.5
LONGEST_WAIT_S = 30.0
# A stop waits so long for what is still to be told.
DRAIN_S = 2.0
# No receiver is waited for longer.
TIME_OUT_S = 2.0
# Who takes some and refuses others is not told of each time.
SILENT_S = 60.0


class Sink(Protocol):
    """Who is told; used by one thread."""

    @property
    def name(self) -> str:
        """As the settings call it."""
        ...

    @property
    def most(self) -> int:
        """So many records it takes at once."""
        ...

    def write(self, records: Sequence[Record]) -> None:
        """All of them, within TIME_OUT_S; what it raises says that they are lost.

        Raises Unsent if nothing has left; Permanent if it does not want these; else
        it is not there, and is left alone for a while.
        """
        ...

    def close(self) -> None: ...


class Unsent(Transient):
    """Nothing has left: the same may be written again."""

    def __init__(self, text: str, wait_s: float | None = None) -> None:
        super().__init__(text)
        self._wait_s = wait_s

    @property
    def retry_after_s(self) -> float | None:
        """None means that it is not there; else it wants to be asked then."""
        return self._wait_s


class Workstream:
    """The records on their way; `takes` and `note` may be called from any thread."""

    name = PART
    is_vital = False

    def __init__(
        self,
        health: Health,
        *,
        most: int = MOST_WAITING,
        turn_s: float = TURN_S,
    ) -> None:
        self.mask = Mask()
        """What it covers is told to nobody; a reason may quote a secret."""
        self._health = health
        self._most = most
        self._turn_s = turn_s
        self._lock = threading.Lock()
        self._waiting: deque[Record] = deque()
        self._is_woken = threading.Event()
        self._wanted: Sink | None = None
        self._only_failures = False
        self._sink: Sink | None = None
        self._unsent: Sequence[Record] = ()
        self._backoff = Backoff(longest_s=LONGEST_WAIT_S)
        self._trouble = ""
        self._is_told = False
        self._silent = Deadline(0)
        self._told_dropped = 0
        self.told = 0
        """How many were taken."""
        self.dropped = 0
        """How many were not, or nobody knows whether."""

    def adopt(self, sink: Sink | None, *, only_failures: bool = False) -> None:
        """Who is told from now on; None: nobody."""
        self._only_failures = only_failures
        self._wanted = sink
        self._is_woken.set()

    # From any thread.

    def takes(self, *, is_failure: bool = False) -> bool:
        """No: nobody wants to know, so there is no record to be made."""
        return self._wanted is not None and (is_failure or not self._only_failures)

    def note(self, record: Record) -> None:
        with self._lock:
            if len(self._waiting) < self._most:
                self._waiting.append(record)
            else:
                self.dropped += 1

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    # From its own.

    def run(self, stop: Stop) -> None:
        # Who was to be told before it began is not somebody else.
        self._is_woken.clear()
        try:
            with stop.waking(self._is_woken.set):
                while not stop.is_set:
                    if wait_s := self._turn():
                        with outside("the next turn"):
                            self._is_woken.wait(wait_s)
                    self._is_woken.clear()
            self._drain(stop)
        finally:
            self._leave()

    def _turn(self) -> float:
        """Tell what waits; returns how long there is nothing to do."""
        beat()
        if self._sink is not self._wanted:
            self._take_up(self._wanted)
        sink = self._sink
        if sink is None:
            return self._turn_s
        # Whether somebody is there again is found out with as little as can be lost.
        batch = self._take(1 if self._backoff.failures else sink.most)
        return self._tell(sink, batch) if batch else self._turn_s

    def _take_up(self, sink: Sink | None) -> None:
        """What waits is told to the new one."""
        self._leave()
        self._sink, self._trouble = sink, ""
        self._backoff.reset()
        if sink is None:
            self._drop(len(self._empty()))
        else:
            self._health.tell(PART, f"tells {sink.name}", is_ready=True)

    def _take(self, most: int) -> Sequence[Record]:
        if unsent := self._unsent:
            self._unsent = ()
            return unsent
        with self._lock:
            count = min(most, len(self._waiting))
            taken = [self._waiting.popleft() for _ in range(count)]
        return [each._replace(note=self.mask(each.note)) for each in taken]

    def _tell(self, sink: Sink, batch: Sequence[Record]) -> float:
        try:
            with outside(sink.name):
                sink.write(batch)
        except Unsent as error:
            self._unsent = batch
            if error.retry_after_s:
                return error.retry_after_s
            return self._note_trouble(sink, error)
        except ANYTHING as error:
            self._drop(len(batch))
            return self._note_trouble(sink, error)
        self.told += len(batch)
        self._backoff.reset()
        self._look_back(sink)
        return 0.0

    def _look_back(self, sink: Sink) -> None:
        """Once it has caught up, it is told how much is missing; then all is well."""
        missing = self.dropped - self._told_dropped
        if missing and not self._trouble:
            self._note_trouble(sink, Permanent("it takes them too slowly"))
        if len(self._waiting) > self._most / 10:
            return
        if missing:
            self._told_dropped = self.dropped
            note = f"records that are missing before this one: {missing}"
            self.note(Record(time.time(), PART, "tell", DROPPED, note=note))
        elif self._trouble:
            self._end_trouble(sink)

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count

    # How it is.

    def _note_trouble(self, sink: Sink, error: BaseException) -> float:
        """Told when it begins; returns how long to leave it alone."""
        if not self._trouble and self._silent.is_over:
            self._is_told, self._silent = True, Deadline(SILENT_S)
            words = (
                "the workstream log does not reach %s: %s; what it misses is counted"
            )
            is_fault = not isinstance(error, MalexbotError)
            log.warning(words, sink.name, error, exc_info=is_fault)
        if self._trouble != str(error):
            self._trouble = str(error)
            state = f"drops records, {sink.name}: {error}"
            self._health.tell(PART, state, is_ready=True)
        if isinstance(error, Permanent):
            return 0.0
        asked_s = error.retry_after_s if isinstance(error, Transient) else None
        return max(self._backoff.next_s(), asked_s or 0.0)

    def _end_trouble(self, sink: Sink) -> None:
        self._trouble = ""
        self._health.tell(PART, f"tells {sink.name}", is_ready=True)
        if self._is_told:
            self._is_told = False
            words = "the workstream log reaches %s again; %d records were dropped"
            log.info(words, sink.name, self.dropped)

    # The end.

    def _drain(self, stop: Stop) -> None:
        """What is left is told to who is there, as long as there is time for it."""
        deadline = Deadline(min(DRAIN_S, stop.deadline.left_s))
        while (sink := self._sink) and not self._backoff.failures:
            if deadline.is_over or not (batch := self._take(sink.most)):
                break
            self._tell(sink, batch)
        self._wanted = None
        if left := len(self._empty()):
            self._drop(left)
            log.warning("%d records of the workstream log were not told", left)

    def _empty(self) -> Sequence[Record]:
        with self._lock:
            left = [*self._unsent, *self._waiting]
            self._waiting.clear()
        self._unsent = ()
        return left

    def _leave(self) -> None:
        if self._sink:
            self._sink.close()
        self._sink = None
        self._health.forget(PART)
