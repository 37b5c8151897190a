"""Leaves workers to all else while a messenger is slow.

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
from malexbot.pipeline.verdicts import Again, Done, Ended, Postponed
from malexbot.ports import Job

# A call that takes longer is slow, and its messenger for so long after it.
SLOW_S = 1.0
COUNTS_S = 30.0
# Who finds all seats taken asks again so soon.
AGAIN_S = 2.0


class Shares:
    """How many are at each messenger just now; safe to use from many threads."""

    def __init__(
        self, most: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`most`: at one that is slow."""
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._begun: defaultdict[str, dict[object, float]] = defaultdict(dict)
        self._slow_until: dict[str, float] = {}

    @contextmanager
    def seat(self, messenger: str) -> Iterator[bool]:
        """No: it is slow, and as many as may be are there."""
        me = object()
        with self._lock:
            begun = self._begun[messenger]
            is_free = len(begun) < self._most or not self._is_slow(messenger)
            if is_free:
                begun[me] = self._clock()
        try:
            yield is_free
        finally:
            with self._lock:
                self._leave(messenger, begun.pop(me, None))

    def _is_slow(self, messenger: str) -> bool:
        now, begun = self._clock(), self._begun[messenger].values()
        is_waited_for = now - min(begun, default=now) > SLOW_S
        return is_waited_for or now < self._slow_until.get(messenger, now)

    def _leave(self, messenger: str, begun_at: float | None) -> None:
        now = self._clock()
        if begun_at is not None and now - begun_at > SLOW_S:
            self._slow_until[messenger] = now + COUNTS_S


class Shared:
    """The handler of something that is said at messengers, within their shares."""

    def __init__(self, handler: Handler, shares: Shares) -> None:
        self._handler = handler
        self._shares = shares

    def __call__(self, job: Job, hold: Hold) -> Done | Ended:
        messenger = job.name.partition(":")[0]
        with self._shares.seat(messenger) as is_free:
            if is_free:
                return self._handler(job, hold)
        raise Postponed(
            Again(
                AGAIN_S,
                f"{messenger} is slow, and others wait for it",
                # What may have been sent before is as uncertain as it was.
                is_uncertain=job.sent_ago_s is not None,
                is_failure=False,
                is_of_target=True,
            )
        )
