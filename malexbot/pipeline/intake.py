"""The intake: one transaction makes what comes in durable, then it is acted on.

It takes what waits, as it is: a batch is as large as the last one took long.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from malexbot.errors import ANYTHING, Transient
from malexbot.events import Event, Id
from malexbot.pipeline.counters import Counters
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import told
from malexbot.pipeline.waiting import Delivery, Item, Waiting
from malexbot.ports import Entry, Job, Journal, Mark, Parcel, Reject
from malexbot.runtime.health import Health
from malexbot.runtime.heart import beat
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# How often it looks up when nothing comes in.
TURN_S = 1.0
# An outage of the database costs at most this much more than it lasts.
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 3.0
LONGEST_DRAIN_WAIT_S = 0.2

# So many jobs at once are left to the queue, where all lanes have their turn.
CROWD = 32

PART = "intake"
_NOWHERE = (-1, "")


class Workers(Protocol):
    """Who does the jobs that come of events."""

    def take_seats(self, most: int) -> list[Hold]:
        """Each is for one job that is about to be begun."""
        ...

    def begin(self, jobs: Sequence[Job], holds: Sequence[Hold]) -> None:
        """On seats that were taken; those that are left over are free again."""
        ...

    def wake(self, lanes: Iterable[str]) -> None:
        """Jobs wait in these lanes."""
        ...


class _Draft:
    """What one parcel is made of, event by event."""

    __slots__ = ("entries", "rejects", "passed")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rejects: list[Reject] = []
        self.passed: dict[tuple[str, Id, int], tuple[int, str]] = {}

    @property
    def is_worth_it(self) -> bool:
        return bool(self.entries or self.rejects or self.passed)

    def let_pass(self, event: Event) -> None:
        """Nothing of it is kept; heard live, it moves the mark of its channel."""
        if event.origin == "live":
            key = (event.source, event.peer.bpid, event.connection)
            place = (event.occurred_at, event.event_id)
            if place > self.passed.get(key, _NOWHERE):
                self.passed[key] = place

    def parcel(self, marks: Sequence[Mark] = ()) -> Parcel:
        return Parcel(self.entries, marks, self.rejects, self.passed)


class Intake:
    """The one that writes; sources hand it what they have, from any thread."""

    name = PART
    is_vital = True

    def __init__(
        self,
        *,
        journal: Journal,
        decider: Decider,
        workers: Workers,
        health: Health,
        counters: Counters | None = None,
        waiting: Waiting | None = None,
        written: Callable[[Sequence[Parcel], float], None] = lambda parcels, took: None,
    ) -> None:
        """`written` is told of each batch that is durable, and its seconds."""
        self._journal = journal
        self._decider = decider
        self._workers = workers
        self._health = health
        self._waiting = waiting or Waiting()
        self._written = written
        self._backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        self._has_failed_look = False
        self.counters = counters or Counters()

    # From the threads of the sources.

    def offer(self, event: Event) -> bool:
        """Take a live event; no: the intake stays full, so drop the connection."""
        return self._offer(event)

    def reject(self, source: str, raw: bytes, reason: str) -> bool:
        """Keep what is no event, with the reason; no: the intake is full."""
        return self._offer(Reject(source, raw, reason))

    def deliver(
        self,
        events: Sequence[Event],
        marks: Sequence[Mark],
        stop: Stop,
        *,
        rejects: Sequence[Reject] = (),
    ) -> bool:
        """Take what was fetched, with the marks that it moves: all or nothing.

        Waits for room; no: `stop` came first, and nothing was taken.
        """
        return self._waiting.deliver(Delivery(events, marks, rejects), stop)

    def settle(self, stop: Stop) -> None:
        """Wait until all that was taken so far is durable, or for the stop."""
        self._waiting.settle(stop)

    @property
    def depth(self) -> int:
        """How many events wait."""
        return self._waiting.events

    def _offer(self, item: Event | Reject) -> bool:
        if self._waiting.offer(item):
            return True
        self.counters.dropped = self._waiting.refused
        return False

    # The intake's own thread.

    def run(self, stop: Stop) -> None:
        self._tell_well()
        with stop.waking(self._waiting.wake):
            while not stop.is_set:
                self._turn(self._waiting.take(TURN_S, lambda: stop.is_set), stop)
        self._drain(stop)

    def _turn(self, items: Sequence[Item], stop: Stop) -> None:
        beat()
        if items:
            self._write(self._parcels(items), stop)
            self._waiting.done(len(items))

    def _drain(self, stop: Stop) -> None:
        """What was taken in is written, as long as there is time for it.

        Who still asks for something is told now that it is not taken in.
        """
        self._waiting.close()
        while not stop.deadline.is_over:
            items = self._waiting.take(0, lambda: True)
            if not items:
                return
            self._turn(items, stop)
        if self._waiting.events:
            log.warning("no time to write %d events", self._waiting.events)

    # A batch.

    def _parcels(self, items: Sequence[Item]) -> list[Parcel]:
        """What waits, in its order; live events in a row are one parcel."""
        parcels: list[Parcel] = []
        draft = _Draft()
        for item in items:
            if isinstance(item, Event):
                self._decide(item, draft)
            elif isinstance(item, Reject):
                draft.rejects.append(item)
            else:
                if draft.is_worth_it:
                    parcels.append(draft.parcel())
                    draft = _Draft()
                for event in item.events:
                    self._decide(event, draft)
                draft.rejects += item.rejects
                parcels.append(draft.parcel(item.marks))
                draft = _Draft()
        if draft.is_worth_it:
            parcels.append(draft.parcel())
        return parcels

    def _decide(self, event: Event, draft: _Draft) -> None:
        """An event that a processor stumbles over is kept for a person to see."""
        self.counters.come(event.name)
        try:
            entry = self._decider.decide(event)
        except ANYTHING as error:
            log.error("event %s goes to the rejects", event.event_id, exc_info=True)
            reason = f"{event.event_id}: {told(error)}"
            draft.rejects.append(Reject(event.source, event.raw, reason))
        else:
            if isinstance(entry, Entry):
                draft.entries.append(entry)
            elif entry is not None:
                draft.let_pass(entry)

    def _write(self, parcels: Sequence[Parcel], stop: Stop) -> None:
        """In one transaction, however often that has to be tried."""
        if not parcels:
            return
        began_at = time.monotonic()
        while True:
            try:
                self._commit(parcels)
            except Transient as error:
                self._tell_ill(error)
                self._rest(stop)
                if stop.is_set and stop.deadline.is_over:
                    log.warning("no time to write %d parcels: %s", len(parcels), error)
                    return
            else:
                break
        self._tell_well()
        self._after(parcels)
        self._written(parcels, time.monotonic() - began_at)

    def _commit(self, parcels: Sequence[Parcel]) -> None:
        """What makes the jobs begins them where seats and lanes are free."""
        lanes = Counter(
            lane
            for parcel in parcels
            for entry in parcel.entries
            if entry.processors
            for lane in entry.lanes
        )
        wanted = lanes.total()
        holds = self._workers.take_seats(wanted) if wanted <= CROWD else []
        begun: Sequence[Job] = ()
        try:
            begun = self._journal.write(
                parcels,
                seats=len(holds),
                lease_s=min((hold.lease_s for hold in holds), default=0.0),
                is_behind=self._waiting.events > 0,
            )
        finally:
            self._workers.begin(begun, holds)
        if waiting := lanes - Counter(job.lane for job in begun):
            self._workers.wake(waiting)

    def _rest(self, stop: Stop) -> None:
        wait_s = self._backoff.next_s()
        if not stop.wait(wait_s):
            return
        # Set, it waits no more; a second signal must not wait for this either.
        Stop().wait(min(wait_s, LONGEST_DRAIN_WAIT_S, stop.deadline.left_s))

    def _after(self, parcels: Sequence[Parcel]) -> None:
        counters = self.counters
        counters.batches += 1
        for entries, _, rejects, _ in parcels:
            counters.rejected += len(rejects)
            counters.add(entries)
            for entry in entries:
                self._show(entry.event)
        self._note_lag(parcels)

    def _show(self, event: Event) -> None:
        for looker in self._decider.lookers(event):
            try:
                looker.look(event)
            except ANYTHING:
                if not self._has_failed_look:
                    log.error("processor %s fails", looker.name, exc_info=True)
                self._has_failed_look = True

    def _note_lag(self, parcels: Sequence[Parcel]) -> None:
        entries, _, _, passed = parcels[-1]
        ages = [self._decider.age_ms(at) for at, _ in passed.values()]
        if entries and entries[-1].event.origin == "live":
            ages.append(round(self._decider.age_s(entries[-1].event) * 1000))
        if ages:
            self.counters.lag_ms = min(ages)

    # How it is.

    def _tell_well(self) -> None:
        self._backoff.reset()
        self._health.tell(PART, "writes", is_ready=True)

    def _tell_ill(self, error: Transient) -> None:
        self.counters.failures += 1
        if self._backoff.failures == 0:
            log.warning("nothing can be written, it is tried again: %s", error)
        self._health.tell(PART, f"cannot write: {error}", is_ready=False)
