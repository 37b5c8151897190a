"""Leaves workers to all else while a messenger or a target of routes is slow.

Who waits for an answer holds a worker: where all wait for one that hangs, nothing is
done that goes elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import Handler
from malexbot.pipeline.verdicts import Again, Done, Ended, Postponed, wait_s
from malexbot.ports import Job

# A call that takes longer is slow, and who was called for so long after it.
SLOW_S = 1.0
COUNTS_S = 30.0
# Who finds all seats taken asks again so soon.
AGAIN_S = 2.0


class Shares:
    """How many are at each place just now; safe to use from many threads."""

    def __init__(
        self, workers: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._lock = threading.Lock()
        self._begun: defaultdict[str, dict[object, float]] = defaultdict(dict)
        self._slow_until: dict[str, float] = {}

    @contextmanager
    def seat(self, place: str, *, is_failing: bool = False) -> Iterator[bool]:
        """No: it is slow, or this has failed there, and as many as may be are there."""
        me = object()
        with self._lock:
            begun = self._begun[place]
            is_limited = is_failing or self._is_slow(place)
            is_free = not is_limited or len(begun) < self._most(place)
            if is_free:
                begun[me] = self._clock()
        try:
            yield is_free
        finally:
            with self._lock:
                self._leave(place, begun.pop(me, None))

    def _most(self, place: str) -> int:
        """Half of the workers that no other slow place has; one in any case."""
        taken = sum(
            len(begun)
            for other, begun in self._begun.items()
            if other != place and self._is_slow(other)
        )
        return max(1, (self._workers - taken) // 2)

    def _is_slow(self, place: str) -> bool:
        now, begun = self._clock(), self._begun[place].values()
        is_waited_for = now - min(begun, default=now) > SLOW_S
        return is_waited_for or now < self._slow_until.get(place, now)

    def _leave(self, place: str, begun_at: float | None) -> None:
        now = self._clock()
        if begun_at is not None and now - begun_at > SLOW_S:
            self._slow_until[place] = now + COUNTS_S


def messenger_of(job: Job) -> str:
    """Where something is said."""
    return job.name.partition(":")[0]


class Shared:
    """The handler of something that is said or delivered, within the shares."""

    def __init__(
        self,
        handler: Handler,
        shares: Shares,
        place_of: Callable[[Job], str] = messenger_of,
    ) -> None:
        self._handler = handler
        self._shares = shares
        self._place_of = place_of

    def __call__(self, job: Job, hold: Hold) -> Done | Ended:
        place, is_failing = self._place_of(job), job.failing_s > 0
        with self._shares.seat(place, is_failing=is_failing) as is_free:
            if is_free:
                return self._handler(job, hold)
        raise Postponed(
            Again(
                wait_s(job) if is_failing else AGAIN_S,
                f"as many as may be wait for {place} already",
                # What may have been sent before is as uncertain as it was.
                is_uncertain=job.sent_ago_s is not None,
                is_failure=False,
                # What fails holds up its lane no longer for that.
                is_of_target=not is_failing,
            )
        )
