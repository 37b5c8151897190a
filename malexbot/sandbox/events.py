"""What the server tells its websockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from malexbot.sandbox.model import Json


@dataclass(frozen=True)
class Event:
    """One event and whom it is for; the sequence number comes with the sending."""

    name: str
    data: Json
    user_id: str = ""
    channel_id: str = ""
    team_id: str = ""
    omit_users: tuple[str, ...] = field(default=())

    @cached_property
    def body(self) -> bytes:
        """The frame's JSON up to the sequence number, made once for all sockets."""
        broadcast = {
            "omit_users": dict.fromkeys(self.omit_users, True) or None,
            "user_id": self.user_id,
            "channel_id": self.channel_id,
            "team_id": self.team_id,
        }
        whole = {"event": self.name, "data": self.data, "broadcast": broadcast}
        return orjson.dumps(whole)[:-1]

    def frame(self, sequence: int) -> bytes:
        return b'%b,"seq":%d}\n' % (self.body, sequence)


def as_text(value: Any) -> str:
    """JSON in a string, as the events carry posts, reactions and lists."""
    return orjson.dumps(value).decode()


# Dropped when a send queue is half full, as the real server does.
DROPPABLE = frozenset({"typing", "status_change", "multiple_channels_viewed"})
