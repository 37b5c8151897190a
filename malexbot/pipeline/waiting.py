"""The events that wait to become durable: bounded, and taken as they come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from malexbot.events import Event
from malexbot.ports import Mark, Reject
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop

MOST_EVENTS = 4_000
MOST_BYTES = 32 * 2**20
# A burst is held back by TCP while its first part is written; a server gives up a
# reader that rests much longer. Measured: a burst of 100 000 events that costs no
# connection is archived three times as fast.
PATIENCE_S = 1.0
# What else an event weighs: tuples, strings, the queue. Measured: some 2 KiB.
OVERHEAD_BYTES = 2_048


class Delivery(NamedTuple):
    """What is written together with its marks or not at all."""

    events: Sequence[Event]
    marks: Sequence[Mark]
    rejects: Sequence[Reject] = ()


Item = Event | Delivery | Reject


class Waiting:
    """A queue with two kinds of guests: live ones hardly wait, others leave room."""

    def __init__(
        self,
        *,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._items: deque[Item] = deque()
        self._is_awaited = False
        self._is_closed = False
        self._settled = threading.Condition(self._lock)
        self._came = 0
        self._done = 0
        self.events = 0
        self.bytes = 0
        self.refused = 0

    def offer(self, item: Event | Reject) -> bool:
        """Take it if there is room, or will be in a moment."""
        weight = len(item.raw) + OVERHEAD_BYTES
        with self._lock:
            is_crowded = (
                self.events >= self._most_events
                or self.bytes + weight > self._most_bytes
            )
            if is_crowded and not self._wait_for_room(weight):
                self.refused += 1
                return False
            self._put(item, 1, weight)
            return True

    def deliver(self, delivery: Delivery, stop: Stop) -> bool:
        """Wait until there is room for it beside the live events; no: the end came."""
        parts: list[Event | Reject] = [*delivery.events, *delivery.rejects]
        weight = sum(len(part.raw) for part in parts)
        weight += OVERHEAD_BYTES * (len(parts) + len(delivery.marks))
        count = len(parts)
        with stop.waking(self.wake), outside("room in the intake"), self._lock:
            while not (stop.is_set or self._is_closed):
                if self._fits(
                    count, weight, self._most_events // 2, self._most_bytes // 2
                ):
                    self._put(delivery, count, weight)
                    return True
                self._room.wait()
            return False

    def take(self, seconds: float, is_over: Callable[[], bool]) -> list[Item]:
        """All that waits; if nothing does, what comes within so many seconds."""
        with outside("the next event"), self._lock:
            if not self._items and not is_over():
                self._is_awaited = True
                self._arrival.wait(seconds)
                self._is_awaited = False
            items = list(self._items)
            self._items.clear()
            self.events = self.bytes = 0
            self._room.notify_all()
            return items

    def done(self, items: int) -> None:
        """So many of those that were taken are durable, or will never be."""
        with self._lock:
            self._done += items
            self._settled.notify_all()

    def settle(self, stop: Stop) -> None:
        """Wait until all that came before this call is done, or for the stop."""
        with stop.waking(self.wake), outside("the intake"), self._lock:
            came = self._came
            while self._done < came and not stop.is_set:
                self._settled.wait()

    def close(self) -> None:
        """Take nothing in any more; what is there can be taken out."""
        with self._lock:
            self._is_closed = True
            self._most_events = 0
            self._room.notify_all()

    def wake(self) -> None:
        """Let every thread that waits look again whether it still should."""
        with self._lock:
            self._arrival.notify_all()
            self._room.notify_all()
            self._settled.notify_all()

    def _wait_for_room(self, weight: int) -> bool:
        def is_over() -> bool:
            most = self._most_events, self._most_bytes
            return self._is_closed or self._fits(1, weight, *most)

        with outside("room in the intake"):
            is_over_in_time = self._room.wait_for(is_over, self._patience_s)
        return is_over_in_time and not self._is_closed

    def _fits(self, count: int, weight: int, events: int, many_bytes: int) -> bool:
        """Anything fits into an empty queue, so nothing waits for ever."""
        if not self._items:
            return True
        return self.events + count <= events and self.bytes + weight <= many_bytes

    def _put(self, item: Item, count: int, weight: int) -> None:
        self._items.append(item)
        self._came += 1
        self.events += count
        self.bytes += weight
        if self._is_awaited:
            self._arrival.notify()
