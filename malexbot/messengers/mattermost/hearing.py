"""What the live connection heard, and whether it is deaf.

The listener tells it, from its one thread; the walks compare it with what the
server shows. The listener asks now and then whether it should connect anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import Room, post_of

# So late a post may come live; and so much the clocks of several servers differ.
GRACE_MS = 60_000


class Hearing:
    """The connection of now: its number, its last sign of life, its newest posts."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}
        self._wish = ""
        self._opened_at = 0
        self.number = 0
        """0 before the first connection."""
        self.answered_at = 0
        """The server's clock at the last answered ping; 0 before the first."""

    # Told by the listener.

    def opened(self, number: int) -> None:
        """A connection with a new number is open, or the same one counts as new."""
        with self._lock:
            self._newest, self._wish = {}, ""
            self._opened_at, self.answered_at = self._now_ms(), 0
            self.number = number

    def answered(self, server_ms: int) -> None:
        """Every event before this moment of the server's clock was handed on."""
        self.answered_at = server_ms

    def heard(self, channel_id: str, create_at: int) -> None:
        """A post came live; kept or not, listened to or not."""
        if create_at > self._newest.get(channel_id, 0):
            self._newest[channel_id] = create_at

    def take_wish(self) -> str:
        """Why the listener should connect anew; "" when it need not. Asked once."""
        with self._lock:
            wish, self._wish = self._wish, ""
            return wish

    # Asked by the walks.

    def wish_anew(self, reason: str) -> None:
        with self._lock:
            self._wish = self._wish or reason

    def compare(self, room: Room, newest: Sequence[Event]) -> None:
        """Wish for a new connection if this page holds what should have come live."""
        number = self.number
        heard_at = self._newest.get(room.id, 0)
        since = max(self._opened_at, room.joined_at) + GRACE_MS
        until = self._now_ms() - GRACE_MS
        for post in map(post_of, newest):
            if since < post.create_at < until and not post.is_system:
                if post.create_at > heard_at and number == self.number != 0:
                    self.wish_anew(f"deaf: {post.id} in {room.name} never came")
                return
