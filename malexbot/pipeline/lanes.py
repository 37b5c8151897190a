"""The lanes: workers that do the jobs, each lane's in order, many lanes at once.

The order is the queue's: it hands out only the oldest job of a lane. Seats are counted
here, and taken before a job is claimed, so a claimed job never waits for a worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue

from malexbot.errors import MalexbotError, Transient
from malexbot.pipeline.behind import Behind
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import NOTHING, Runner, Work
from malexbot.pipeline.verdicts import overrun
from malexbot.ports import Job, Jobs
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import outside
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stacks import stack_of
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

THREADS = 8
TIME_OUT_S = 60.0
# A lease outlasts the handler by what writing its end may take.
LEASE_BEYOND_S = 30.0
# Another machine, or a hand, may make jobs that nobody wakes us for.
LONGEST_POLL_S = 3.0
# A job that is due but whose lane is busy elsewhere is not asked for all the time.
SHORTEST_POLL_S = 0.1
LONGEST_WAIT_S = 3.0
# How often what is too old is looked for; what is claimed is looked at anyhow.
EXPIRY_S = 1.0
# A second signal ends the drain: it is looked for that often.
DRAIN_TURN_S = 0.1
# So many threads hang at once before only a new process helps.
MOST_HUNG = 5

PART = "lanes"


class _Worker:
    """A thread, and what it is at."""

    def __init__(self, name: str, run: Callable[[_Worker], None]) -> None:
        self.thread = threading.Thread(target=run, args=(self,), name=name, daemon=True)
        self.work: Work | None = None
        self.is_dismissed = False


class Lanes:
    """Claims jobs for its workers, and looks after those who do not come back."""

    name = PART
    is_vital = True

    def __init__(
        self,
        *,
        jobs: Jobs,
        runner: Runner,
        health: Health,
        threads: int = THREADS,
        time_out_s: float = TIME_OUT_S,
    ) -> None:
        self._jobs = jobs
        self._runner = runner
        self._health = health
        self._threads = threads
        self._time_out_s = time_out_s
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._signal = threading.Condition()
        self._is_woken = False
        self._is_draining = False
        self._is_crowded = False
        self._behind = Behind()
        self._free = 0
        self._hired = 0
        self._workers: list[_Worker] = []
        self._hung: list[_Worker] = []
        self._under_way: dict[Hold, Job] = {}
        self._fault: Exception | None = None
        self._until_expiry = Deadline(0)
        self._backoff = Backoff(first_s=0.1, longest_s=LONGEST_WAIT_S)
        self.overruns = 0

    def wake(self, lanes: Iterable[str] = ()) -> None:
        """There may be jobs, in these lanes at least."""
        with self._signal:
            self._behind.note(lanes)
            self._is_woken = True
            self._signal.notify_all()

    def take_seats(self, most: int) -> list[Hold]:
        """Each is for one job that is about to be begun; none while others wait."""
        with self._signal:
            return [] if self._is_crowded else self._take_seats(most)

    def _take_seats(self, most: int) -> list[Hold]:
        count = 0 if self._is_draining else min(most, self._free)
        self._free -= count
        lease_s = self._time_out_s + LEASE_BEYOND_S
        return [
            Hold(lease_s=lease_s, time_out_s=self._time_out_s) for _ in range(count)
        ]

    def begin(self, jobs: Sequence[Job], holds: Sequence[Hold]) -> None:
        """On seats that were taken; those that are left over are free again."""
        works = [Work(*each) for each in zip(jobs, holds, strict=False)]
        with self._signal:
            self._free += len(holds) - len(works)
            if self._is_crowded and self._free:
                self.wake()
            self._under_way.update((work.hold, work.job) for work in works)
        for work in works:
            work.hold.start()
            self._queue.put(work)

    @property
    def busy(self) -> int:
        """How many jobs are being done."""
        return len(self._under_way)

    def run(self, stop: Stop) -> None:
        for _ in range(self._threads):
            self._hire()
        try:
            with stop.waking(self.wake):
                while not stop.is_set:
                    self._look_after()
                    self._wait(self._claim())
            self._drain(stop)
        finally:
            self._dismiss()

    # Claiming.

    def _claim(self) -> float:
        """Fill the free seats; returns how long nothing else can be expected."""
        with self._signal:
            self._is_woken = False
            self._behind.looking()
            holds = self._take_seats(self._threads)
            # Who ends from now on knows that seats are waited for.
            self._is_crowded = not holds
        if not holds:
            return LONGEST_POLL_S
        claimed: list[Job] = []
        try:
            with outside("jobs"):
                try:
                    self._expire()
                    claimed = self._jobs.claim(
                        kinds=self._runner.kinds,
                        limit=len(holds),
                        lease_s=holds[0].lease_s,
                    )
                finally:
                    self.begin(claimed, holds)
                self._learn(claimed, len(holds))
                due_s = None if claimed else self._jobs.due_s()
        except Transient as error:
            return self._tell_ill(error)
        self._tell_well()
        if claimed:
            # Nobody asks when the next one is due while there is more to do.
            return LONGEST_POLL_S if self._is_crowded else SHORTEST_POLL_S
        if due_s is None:
            return LONGEST_POLL_S
        return min(max(due_s, SHORTEST_POLL_S), LONGEST_POLL_S)

    def _expire(self) -> None:
        if self._until_expiry.is_over:
            self._runner.expire()
            self._until_expiry = Deadline(EXPIRY_S)

    def _learn(self, claimed: Sequence[Job], asked_for: int) -> None:
        """Nobody knows what is behind those that were found."""
        with self._signal:
            if len(claimed) < asked_for:
                self._behind.looked(job.lane for job in self._under_way.values())
            else:
                self._is_crowded = True
                # A seat that became free meanwhile told nobody.
                self._is_woken |= self._free > 0
            self._behind.note(job.lane for job in claimed)

    def _wait(self, seconds: float) -> None:
        """Until somebody wakes us, or a handler's time is over."""
        for hold, _ in self._jobs_under_way():
            if not hold.is_ending:
                seconds = min(seconds, hold.time_out.left_s)
        with outside("the next job"), self._signal:
            if not self._is_woken:
                self._signal.wait(seconds)

    # The workers.

    def _hire(self) -> None:
        self._hired += 1
        worker = _Worker(f"lane-{self._hired}", self._work)
        with self._signal:
            self._workers.append(worker)
            self._free += 1
        worker.thread.start()

    def _work(self, worker: _Worker) -> None:
        while (work := self._queue.get()) is not None:
            while work is not None:
                work = self._do(worker, work)
            if worker.is_dismissed:
                return

    def _do(self, worker: _Worker, work: Work) -> Work | None:
        """What the worker goes on with; if there is nothing, its seat is free."""
        worker.work = work
        after = NOTHING
        try:
            after = self._runner.run(work, goes_on=not self._is_draining)
        except Exception as error:
            self._fault = error
        with self._signal:
            worker.work = None
            self._under_way.pop(work.hold, None)
            if worker.is_dismissed:
                self._hung.remove(worker)
            elif after.work:
                self._under_way[after.work.hold] = after.work.job
            else:
                self._free += 1
            is_waited_for = work.job.lane in self._behind or self._is_crowded
            if after.lanes or is_waited_for or self._fault or self._is_draining:
                self.wake(after.lanes)
        return after.work

    def _jobs_under_way(self) -> list[tuple[Hold, Job]]:
        with self._signal:
            return list(self._under_way.items())

    def _look_after(self) -> None:
        if self._fault:
            raise self._fault
        for hold, job in self._jobs_under_way():
            if hold.time_out.is_over and hold.revoke():
                self._give_up(hold, job)
        if len(self._hung) >= MOST_HUNG:
            raise MalexbotError(f"{len(self._hung)} handlers hang")

    def _give_up(self, hold: Hold, job: Job) -> None:
        """Its handler may do nothing any more; what it holds up goes on without it."""
        self.overruns += 1
        told = "job %d, %s %s: takes longer than %g s, given up; it stands at\n%s"
        stack = self._replace(hold)
        log.error(told, job.id, job.kind, job.name, self._time_out_s, stack)
        try:
            found = overrun(job, self._time_out_s)
            self._runner.end(job, found, spent_s=hold.spent_s)
        except Transient as error:
            log.warning("job %d is begun again when its lease ends: %s", job.id, error)

    def _replace(self, hold: Hold) -> str:
        """Somebody else takes the seat; returns where the thread hangs."""
        with self._signal:
            self._under_way.pop(hold, None)
            at_it = [w for w in self._workers if w.work and w.work.hold is hold]
            for worker in at_it:
                worker.is_dismissed = True
                self._hung.append(worker)
                self._workers.remove(worker)
        for _ in at_it:
            self._hire()
        return "\n".join(stack_of(worker.thread.ident) for worker in at_it)

    # The end.

    def _drain(self, stop: Stop) -> None:
        """What was begun may end; nothing else is begun."""
        self._is_draining = True
        while not stop.deadline.is_over and self._is_busy():
            self._look_after()
            with self._signal:
                self._is_woken = False
            if self._is_busy():
                self._wait(min(DRAIN_TURN_S, stop.deadline.left_s))

    def _is_busy(self) -> bool:
        with self._signal:
            return self._free < len(self._workers)

    def _dismiss(self) -> None:
        """Workers at rest end; what others are at is void, so they send nothing."""
        for hold, job in self._jobs_under_way():
            if hold.revoke():
                log.warning("job %d is left behind", job.id)
        for _ in self._workers:
            self._queue.put(None)
        self._workers.clear()

    # How it is.

    def _tell_well(self) -> None:
        self._backoff.reset()
        self._health.tell(PART, "work", is_ready=True)

    def _tell_ill(self, error: Transient) -> float:
        if self._backoff.failures == 0:
            log.warning("no jobs can be claimed, it is tried again: %s", error)
        self._health.tell(PART, f"no jobs: {error}", is_ready=False)
        return self._backoff.next_s()
