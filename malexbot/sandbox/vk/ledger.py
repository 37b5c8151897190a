"""What truly happened at VK: the measure that a bot is held against."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from malexbot.sandbox.model import Json


@dataclass(frozen=True, slots=True)
class Told:
    """One update, whether it came through or not."""

    event_id: str
    type: str
    object: Json
    ts: int = 0
    """The ts that tells of it; 0: it was lost or malformed, nobody is told it."""
    spoilt_ts: int = 0
    """The ts that tells of something malformed in its stead."""
    at: float = field(default_factory=time.time)
    """When it happened, by the clock of the machine."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the community."""

    peer_id: int
    cmid: int
    random_id: int
    text: str
    keyboard: Json | None
    reply_to: int


@dataclass(frozen=True, slots=True)
class PressAnswer:
    """What who pressed a button was shown."""

    event_id: str
    user_id: int
    peer_id: int
    shown: Json | None


class VkLedger:
    """Every update, message, answer and call, in its order."""

    def __init__(self, lock: threading.Condition) -> None:
        """`lock`: the world's."""
        self._lock = lock
        self._told: list[Told] = []
        self._declared: list[tuple[int, int]] = []
        self._polled: list[int] = []
        self._sent: list[Sent] = []
        self._answers: list[PressAnswer] = []
        self._reactions: list[tuple[int, int, int]] = []
        self._calls: Counter[str] = Counter()

    # Written by the world.

    def tell(self, told: Told) -> None:
        self._told.append(told)

    def declare_lost(self, after: int, until: int) -> None:
        with self._lock:
            self._declared.append((after, until))

    def poll(self, ts: int) -> None:
        with self._lock:
            self._polled.append(ts)

    def send(self, sent: Sent) -> None:
        self._sent.append(sent)

    def answer(self, answer: PressAnswer) -> None:
        self._answers.append(answer)

    def react(self, peer_id: int, cmid: int, reaction_id: int) -> None:
        self._reactions.append((peer_id, cmid, reaction_id))

    def call(self, method: str) -> None:
        with self._lock:
            self._calls[method] += 1

    # Asked by tests.

    def updates(self, *, type: str = "") -> list[Told]:
        """What happened, of this type or at all."""
        with self._lock:
            return [told for told in self._told if type in ("", told.type)]

    def lost(self, event_ids: Iterable[str]) -> list[str]:
        """The event ids that a reader lacks."""
        seen = set(event_ids)
        return [t.event_id for t in self.updates() if t.event_id not in seen]

    def declared_lost(self) -> list[str]:
        """The event ids of which VK has told a reader that they may be lost."""
        with self._lock:
            return [
                told.event_id
                for told in self._told
                if any(
                    after < (told.ts or told.spoilt_ts) <= until
                    for after, until in self._declared
                )
            ]

    def polled(self) -> list[int]:
        """After which ts each poll asked for what there is, in their order."""
        with self._lock:
            return self._polled.copy()

    @staticmethod
    def doubled(event_ids: Iterable[str]) -> list[str]:
        """The event ids that a reader has more than once."""
        return [id for id, count in Counter(event_ids).items() if count > 1]

    def sent(self, *, peer_id: int = 0) -> list[Sent]:
        with self._lock:
            return [sent for sent in self._sent if peer_id in (0, sent.peer_id)]

    def repeated(self) -> list[int]:
        """The random ids under which more than one message stands."""
        counts = Counter((sent.random_id, sent.peer_id) for sent in self.sent())
        return [id for (id, _), count in counts.items() if id and count > 1]

    def press_answers(self) -> list[PressAnswer]:
        with self._lock:
            return self._answers.copy()

    def reactions(self) -> list[tuple[int, int, int]]:
        """Peer, message and number of each reaction of the community."""
        with self._lock:
            return self._reactions.copy()

    def calls(self) -> dict[str, int]:
        """How often each method was called, refused calls too."""
        with self._lock:
            return dict(self._calls)
