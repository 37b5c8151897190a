"""What the server knows of people, and of where they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from malexbot.errors import MalexbotError
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Forbidden, Missing
from malexbot.runtime.stop import Stop

# Who waits for it does so in front of a screen.
PATIENCE_S = 2.0
PERSON_COUNTS_S = CHANNEL_COUNTS_S = 600.0
# How long somebody who left a channel may still find what was said there.
MEMBERSHIP_COUNTS_S = 60.0
# So many answers are kept in mind; then it begins anew.
MOST = 20_000
NO_LOCALE = "en"

Known = TypeVar("Known")


class Memory(Generic[Known]):
    """Answers that count for some time; safe to use from many threads."""

    def __init__(
        self, counts_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts_s = counts_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[object, tuple[float, Known]] = {}

    def get(self, key: object) -> Known | None:
        with self._lock:
            until, known = self._kept.get(key, (0.0, None))
            return known if self._clock() < until else None

    def keep(self, key: object, known: Known) -> Known:
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = (self._clock() + self._counts_s, known)
        return known


class People:
    """Asks the server, and keeps in mind what it said."""

    def __init__(
        self, client: Client, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client.within(Stop(), patience_s=PATIENCE_S, read_s=PATIENCE_S)
        self._names: Memory[str] = Memory(PERSON_COUNTS_S, clock)
        self._locales: Memory[str] = Memory(PERSON_COUNTS_S, clock)
        self._channels: Memory[str] = Memory(CHANNEL_COUNTS_S, clock)
        self._members: Memory[bool] = Memory(MEMBERSHIP_COUNTS_S, clock)

    def meet(self, user_id: str, name: str) -> None:
        """Somebody called so did something just now."""
        self._names.keep(user_id, name)

    def meet_at(self, channel_id: str, name: str) -> None:
        """The server called a channel so just now."""
        self._channels.keep(channel_id, name)

    def channel(self, channel_id: str) -> str:
        """The name in the address of a channel; "" while the server cannot tell."""
        known = self._channels.get(channel_id)
        if known is None:
            try:
                told = self._client.channel(channel_id)
            except MalexbotError:
                return ""
            known = self._channels.keep(channel_id, str(told.get("name") or ""))
        return known

    def name(self, user_id: str) -> str:
        """The user name of somebody; "" while the server cannot tell."""
        known = self._names.get(user_id)
        if known is None:
            self._ask(user_id)
        return known or self._names.get(user_id) or ""

    def locale(self, user_id: str) -> str:
        """The language of somebody; English while the server cannot tell."""
        if self._locales.get(user_id) is None:
            self._ask(user_id)
        return self.known_locale(user_id)

    def known_locale(self, user_id: str) -> str:
        """As far as it was asked for before: nobody waits for it."""
        return self._locales.get(user_id) or NO_LOCALE

    def is_member(self, user_id: str, channel_id: str) -> bool:
        """Yes: that person may read there. Raises a Failure if nobody can tell."""
        key = (user_id, channel_id)
        known = self._members.get(key)
        if known is not None:
            return known
        endpoint = f"/channels/{channel_id}/members/{user_id}"
        try:
            self._client.call("get", endpoint)
        except (Forbidden, Missing):
            return self._members.keep(key, False)
        return self._members.keep(key, True)

    def _ask(self, user_id: str) -> None:
        """What is not told now is asked for again."""
        try:
            rows = self._client.users([user_id])
        except MalexbotError:
            return
        for row in rows:
            self._names.keep(user_id, str(row.get("username") or ""))
            self._locales.keep(user_id, str(row.get("locale") or NO_LOCALE))
