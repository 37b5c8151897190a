"""Whom the bot hears, and who it is; its messenger tells, the decider reads."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from malexbot.events import Id

DIRECT = frozenset({"D", "G"})


class Heard(NamedTuple):
    """What holds from one moment on."""

    own_id: str = ""
    """The bot's user id; "" before the messenger knows it."""
    channels: Set[Id] = frozenset()
    """The ids of the channels that are listened to."""
    direct: Set[Id] = frozenset()
    """Those channels that are known as conversations with the bot."""


class Audience:
    """One reference that is swapped: who reads it sees the old state or the new."""

    __slots__ = ("now",)

    def __init__(self, now: Heard | None = None) -> None:
        self.now = now or Heard()

    def hear(self, channels: Set[Id], direct: Set[Id] = frozenset()) -> None:
        self.now = self.now._replace(channels=channels, direct=direct)

    def know_self(self, own_id: str) -> None:
        self.now = self.now._replace(own_id=own_id)
