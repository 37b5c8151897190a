"""What the server keeps of a websocket, its queues and numbers, which outlive it.

The odd ways of a resume come from this bookkeeping, so it is kept as the real
server keeps it: a queue of what waits, which a resumed connection takes over,
and a ring of what was sent last.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.events import Event
from malexbot.sandbox.settings import Settings

# A reply as bytes, or an event that gets its sequence number when it is sent.
Outgoing = Event | bytes


class SentOnClosed(Exception):
    """A queue was used after its closing; in the real server this ends the hub."""


class Outbox:
    """The send queue; a resumed connection takes over that of the dropped one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[Outgoing] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_half_full(self) -> bool:
        return len(self._items) >= self._limit // 2

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def put(self, item: Outgoing) -> bool:
        """No: it is full, and the item was not taken."""
        with self._changed:
            if self._is_closed:
                raise SentOnClosed
            if len(self._items) >= self._limit:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(
        self, most: int, seconds: float, is_over: Callable[[], bool]
    ) -> list[Outgoing]:
        """What waits, oldest first; nothing after so many seconds or a `wake`.

        `is_over` is asked under the lock, so that a wake just before the wait
        is not missed.
        """
        with self._changed:
            if not self._items and not self._is_closed and not is_over():
                self._changed.wait(seconds)
            count = min(most, len(self._items))
            return [self._items.popleft() for _ in range(count)]

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Sent:
    """The ring of the last events sent: (sequence, frame)."""

    def __init__(self, size: int) -> None:
        self.ring: list[tuple[int, bytes] | None] = [None] * size
        self.at = 0

    def add(self, sequence: int, frame: bytes) -> None:
        self.ring[self.at] = (sequence, frame)
        self.at = (self.at + 1) % len(self.ring)

    def clear(self) -> None:
        self.ring = [None] * len(self.ring)
        self.at = 0

    def from_sequence(self, sequence: int) -> list[bytes] | None:
        """All from that number on in sending order; None: it is not in the ring."""
        kept = [entry for entry in self.ring[self.at :] + self.ring[: self.at] if entry]
        numbers = [number for number, _ in kept]
        if sequence not in numbers:
            return None
        return [frame for _, frame in kept[numbers.index(sequence) :]]

    @property
    def last_sequence(self) -> int | None:
        last = self.ring[self.at - 1]
        return last[0] if last else None


class Connection:
    """One websocket as the hub knows it."""

    def __init__(self, settings: Settings, token: str, user_id: str) -> None:
        self.settings = settings
        self.id = new_id() if settings.is_reliable else ""
        self.token = token
        self.user_id = user_id
        self.sequence = 0
        self.is_active = True
        # Set when the user's rights change: the token is looked at again.
        self.must_check = False
        self.active_at = time.monotonic()
        self.outbox = Outbox(settings.send_queue)
        self.sent = Sent(settings.dead_queue)

    def take_over(self, old: Connection, sequence: int) -> None:
        """Go on where a dropped connection ended."""
        self.id = old.id
        self.outbox = old.outbox
        self.sent = old.sent
        self.sequence = sequence

    def resend(self) -> list[bytes]:
        """The frames to send first; on a loss a new id, its hello, and numbers from 0.

        That hello is the first of two: the hub does not find the old connection
        under the new id and greets as well, and the old one stays and feeds the
        same queue, so that every event comes twice.
        """
        if self.sequence == 0:
            return []
        frames = self.sent.from_sequence(self.sequence)
        if frames is not None:
            self.sequence += len(frames)
            return frames
        if self.sent.last_sequence in (None, self.sequence - 1):
            return []
        self.sent.clear()
        self.id = new_id()
        self.sequence = 0
        return [self.number(self.hello())]

    def number(self, event: Event) -> bytes:
        """The frame of the next event sent."""
        frame = event.frame(self.sequence)
        self.sent.add(self.sequence, frame)
        self.sequence += 1
        return frame

    def hello(self) -> Event:
        data = {"connection_id": self.id, "server_version": self.settings.version_id}
        return Event("hello", data, user_id=self.user_id)
