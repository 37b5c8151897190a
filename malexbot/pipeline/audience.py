"""Whom the bot hears, and who it is; its messenger tells, the decider reads."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from malexbot.events import Event, Id

DIRECT = frozenset({"D", "G"})


class Heard(NamedTuple):
    """What holds from one moment on."""

    own_id: Id = ""
    """The bot's user id; "" before the messenger knows it."""
    channels: Set[Id] = frozenset()
    """The ids of the channels that are listened to."""
    direct: Set[Id] | None = frozenset()
    """Those channels that are conversations with the bot; None before the messenger
    has shown them.
    """
    mention: re.Pattern[str] | None = None
    """How the bot is named; None before the messenger knows it."""
    sign: str = "@"
    """Without it nobody is named."""

    def is_direct(self, event: Event) -> bool:
        """Yes: it was said to the bot alone, or to a few people and the bot."""
        kind = event.data.get("channel_type")
        return kind in DIRECT or event.peer.bpid in (self.direct or ())

    def tells_of(self, event: Event) -> bool:
        """No: nobody knows yet whether it names the bot, or is for the bot alone."""
        is_placed = self.direct is not None or "channel_type" in event.data
        return bool(self.own_id) and is_placed

    def is_named_in(self, event: Event) -> bool:
        """Yes: the message names the bot, and not only everybody."""
        said = event.message
        if self.mention is None or said is None or self.sign not in said.text:
            return False
        return self.mention.search(said.text) is not None


class Audience:
    """One reference that is swapped: who reads it sees the old state or the new."""

    __slots__ = ("now",)

    def __init__(self, now: Heard | None = None) -> None:
        """Without `now`, nothing is known yet."""
        self.now = now or Heard(direct=None)

    def hear(self, channels: Set[Id], direct: Set[Id] | None = frozenset()) -> None:
        self.now = self.now._replace(channels=channels, direct=direct)

    def know_self(self, own_id: str, own_name: str = "") -> None:
        """A name ends where no sign of one follows, or only the end of a sentence."""
        mention = None
        if own_name:
            name = re.escape(own_name)
            mention = re.compile(rf"(?<![\w@.-])@{name}(?![\w-]|\.\w)", re.IGNORECASE)
        self.now = self.now._replace(own_id=own_id, mention=mention)
