"""An operator's order to read what was missed: a job that lasts until it is done."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from malexbot.errors import Permanent
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Again, Done, Postponed
from malexbot.ports import Job

BACKFILL = "backfill"
# How often it is looked how far an order is.
LOOK_S = 1.0


class Order(Protocol):
    """What is being read because somebody asked for it."""

    @property
    def is_done(self) -> bool: ...

    @property
    def channels(self) -> int:
        """How many were read to the end."""
        ...

    @property
    def posts(self) -> int:
        """How many were read; some of them were archived before."""
        ...


class Reader(Protocol):
    """Reads what was missed at a messenger, in a thread of its own."""

    @property
    def state(self) -> str:
        """What it is at, or what it waits for, in words."""
        ...

    def request(
        self, channel_id: str | None = None, since_ms: int | None = None
    ) -> Order:
        """A channel, or all of them, and back to this time."""
        ...


class BackfillOrders:
    """The handler of "backfill": it asks for the reading, and looks after it.

    The job is the durable side of an order: the reader forgets all when the process
    ends, so who finds a job that its own process has not asked for asks again. What
    was read twice is archived once.
    """

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        """`readers` by the name of their messenger, which is that of the job."""
        self._readers = readers
        self._lock = threading.Lock()
        self._orders: dict[str, Order] = {}

    def __call__(self, job: Job, hold: Hold) -> Done:
        reader = self._readers.get(job.name)
        if reader is None:
            raise Permanent(f"no messenger {job.name!r} is configured")
        order = self._order(job, reader)
        if not order.is_done:
            state = reader.state or "about to begin"
            raise Postponed(Again(LOOK_S, state, is_failure=False))
        with self._lock:
            del self._orders[job.key]
        if not order.channels:
            raise Permanent(
                "nothing was read: listen_channels names no such channel that the bot"
                " may read"
            )
        counts = _counted(order.channels, "channel"), _counted(order.posts, "post")
        return Done(note=", ".join(counts))

    def _order(self, job: Job, reader: Reader) -> Order:
        with self._lock:
            if job.key not in self._orders:
                terms = job.payload
                self._orders[job.key] = reader.request(
                    terms.get("channel"), terms.get("since_ms")
                )
            return self._orders[job.key]


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
