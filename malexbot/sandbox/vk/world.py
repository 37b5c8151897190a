"""Everything that a loopback VK knows: people, chats, and the queue of updates."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from malexbot.sandbox.model import Json
from malexbot.sandbox.vk.faults import VkFaults
from malexbot.sandbox.vk.ledger import Told, VkLedger
from malexbot.sandbox.vk.model import CHATS_FROM, EVENTS, RIGHTS, Chat, Message, Person
from malexbot.sandbox.vk.refusals import Refusal


@dataclass(slots=True)
class VkSettings:
    """The limits of the real one; tests shorten the delays."""

    group_id: int = 218730916
    group_name: str = "malexbot"
    token: str = "vk1.a.sandbox"
    rate_per_s: int = 20
    version: str = "5.199"
    # How long a poll waits at most, whatever it asks for.
    longest_wait_s: float = 90
    # How long a pressed button may be answered.
    press_s: float = 60
    longest_text: int = 4096
    # How many updates one poll is told.
    most_updates: int = 1000
    # What the community has switched on, and what its token may do.
    is_long_poll: bool = True
    events: Sequence[str] = EVENTS
    rights: Sequence[str] = tuple(RIGHTS)


class VkWorld:
    """One lock for all of it; `changed` is told of each update."""

    def __init__(self, settings: VkSettings, faults: VkFaults) -> None:
        self.settings = settings
        self.faults = faults
        self.changed = threading.Condition(threading.RLock())
        self.ledger = VkLedger(self.changed)
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        # Which message stands under a random id, in each chat.
        self.by_random_id: dict[tuple[int, int], Message] = {}
        # When each button was pressed that waits for its answer.
        self.presses: dict[tuple[str, int, int], float] = {}
        self._updates: list[bytes] = []
        self._first = 0
        self.key = secrets.token_hex(20)
        # Keys of before, and with which `failed` a poll by them ends.
        self.ended: dict[str, int] = {}
        self._lost_since: int | None = None

    # What is told.

    def tell(self, type: str, object: Json, *, event_id: str = "") -> str:
        """Something happened: put it into the queue; returns its event id."""
        event_id = event_id or secrets.token_hex(20)
        update = {
            "group_id": self.settings.group_id,
            "type": type,
            "event_id": event_id,
            "v": self.settings.version,
            "object": object,
        }
        body = orjson.dumps(update)
        with self.changed:
            told = self.faults.updates(body)
            ts = self.ts + 1 if told else 0
            places = (ts, 0) if body in told else (0, ts)
            self.ledger.tell(Told(event_id, type, object, *places))
            self._updates += told
            self.changed.notify_all()
        return event_id

    @property
    def ts(self) -> int:
        """How many updates there were ever."""
        return self._first + len(self._updates)

    def since(self, ts: int) -> list[bytes] | None:
        """The updates after it; None if they are not kept any more, or never were."""
        # Whoever asks that has the key of now.
        self._lost_since = None
        if not self._first <= ts <= self.ts:
            return None
        begin = ts - self._first
        return self._updates[begin : begin + self.settings.most_updates]

    def forget_updates(self) -> None:
        """Those that are in the queue by now are gone for good."""
        with self.changed:
            self._first, self._updates = self.ts, []
            self.changed.notify_all()

    def end_key(self, failed: int) -> None:
        """Polls by the key of now fail like this."""
        with self.changed:
            self.ended[self.key] = failed
            self.key = secrets.token_hex(20)
            self.changed.notify_all()

    def lose(self, ts: int) -> None:
        """Somebody who is at `ts` is told that what comes after it is lost."""
        with self.changed:
            known = self._lost_since
            self._lost_since = ts if known is None else min(ts, known)

    def begin_anew(self) -> int:
        """The ts of now; who was told of a loss has lost what is up to it."""
        with self.changed:
            if self._lost_since is not None:
                self.ledger.declare_lost(self._lost_since, self.ts)
            return self.ts

    # Who and where.

    def chat(self, peer_id: int) -> Chat:
        """The conversation; raises Refusal where there is none to be seen."""
        chat = self.chats.get(peer_id)
        if chat is None and peer_id in self.people:
            chat = self.chats[peer_id] = Chat(peer_id)
        if chat is None:
            raise Refusal(917 if peer_id >= CHATS_FROM else 100, "")
        if not chat.is_member:
            raise Refusal(917)
        return chat

    def message(self, peer_id: int, cmid: int) -> Message:
        messages = self.chat(peer_id).messages
        if not 0 < cmid <= len(messages):
            raise Refusal(100, "no such message")
        return messages[cmid - 1]

    def add_message(
        self, peer_id: int, from_id: int, text: str, **more: Any
    ) -> Message:
        chat = self.chat(peer_id)
        cmid, now = len(chat.messages) + 1, int(time.time())
        message = Message(peer_id, cmid, from_id, text, now, **more)
        chat.messages.append(message)
        return message
