"""What the live connection heard, and whether it is deaf.

The listener tells it, from its one thread; the walks compare it with what the
server shows. The listener asks now and then whether it should connect anew.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import Room, post_of

# So late a post may come live; and so much the clocks of several servers differ.
GRACE_MS = 60_000
END_OF_TIME = 2**53
# So many posts of a channel are remembered until it is looked at: more than a page.
MOST_REMEMBERED = 1_000


class Hearing:
    """The connection of now: its number, its last sign of life, its newest posts."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._heard: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._compared_until: dict[str, int] = {}
        self._doubted_from: dict[str, int] = {}
        self._wish = ""
        self._opened_at = 0
        self._has_heard = False
        self._is_doubted = False
        self._answered_at = 0
        self.number = 0
        """0 before the first connection."""
        self.is_proven = True
        """No: it came after a deaf one, and has not heard anything yet either."""

    # Told by the listener.

    def opened(self, number: int) -> None:
        """A connection with a new number is open, or the same one counts as new."""
        with self._lock:
            self.is_proven = self.is_proven and not self._is_doubted
            self._heard.clear()
            self._compared_until.clear()
            self._wish, self._has_heard, self._is_doubted = "", False, False
            self._opened_at, self._answered_at = self._now_ms(), 0
            self.number = number

    def answered(self, server_ms: int) -> None:
        """Every event before this moment of the server's clock was handed on.

        A server that tells nothing more may still answer: only if a post came since
        the answer before is this one a sign that we are told.
        """
        if self._has_heard:
            self._has_heard, self._answered_at = False, server_ms

    def heard(self, channel_id: str, post_id: str, create_at: int) -> None:
        """A post came live; kept or not, listened to or not."""
        with self._lock:
            posts = self._heard[channel_id]
            posts[post_id] = create_at
            if len(posts) > MOST_REMEMBERED:
                del posts[next(iter(posts))]
        self._has_heard = self.is_proven = True

    def take_wish(self) -> str:
        """Why the listener should connect anew; "" when it need not. Asked once."""
        with self._lock:
            wish, self._wish = self._wish, ""
            return wish

    # Asked by the walks.

    @property
    def answered_at(self) -> int:
        """Until then, by the server's clock, all was told; 0: that is not known."""
        return 0 if self._is_doubted else self._answered_at

    def wish_anew(self, reason: str) -> None:
        with self._lock:
            self._wish = self._wish or reason

    def compare(self, room: Room, newest: Sequence[Event]) -> None:
        """Wish for a new connection if this page holds what should have come live."""
        with self._lock:
            until = self._now_ms() - GRACE_MS
            begun_at = max(self._opened_at, room.joined_at)
            known_until = max(begun_at, self._compared_until.get(room.id, 0))
            since = max(begun_at + GRACE_MS, known_until)
            heard = self._forget(room.id, until)
            self._compared_until[room.id] = max(since, until)
            for post in map(post_of, newest):
                is_due = since < post.create_at <= until and not post.is_system
                if is_due and post.id not in heard and self.number:
                    self._is_doubted = True
                    self._doubted_from.setdefault(room.id, known_until)
                    self._wish = f"deaf: {post.id} in {room.name} never came"
                    return

    def forget_but(self, channel_ids: Set[str]) -> None:
        """What was heard elsewhere is compared with nothing."""
        with self._lock:
            for channel_id in self._heard.keys() - channel_ids:
                del self._heard[channel_id]

    def doubted_from(self, channel_id: str) -> int:
        """What is newer may never have come, whatever the mark says."""
        return self._doubted_from.get(channel_id, END_OF_TIME)

    def believe(self, channel_id: str) -> None:
        """It was read from there on, and written; what comes now is told again."""
        self._doubted_from.pop(channel_id, None)

    def _forget(self, channel_id: str, until: int) -> Mapping[str, int]:
        """What was heard so far; only what is later is remembered any longer."""
        heard = self._heard.pop(channel_id, {})
        later = {id: at for id, at in heard.items() if at > until}
        if later:
            self._heard[channel_id] = later
        return heard
