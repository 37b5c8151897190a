"""What a loopback VK consists of, and how VK writes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from malexbot.sandbox.model import Json

CHATS_FROM = 2_000_000_000
# Some of what a community can switch on, and of what a token can be given.
EVENTS = (
    *("message_new", "message_reply", "message_edit", "message_event"),
    *("message_reaction_event", "message_allow", "message_deny"),
    *("group_join", "group_leave", "wall_post_new"),
)
RIGHTS = {"messages": 4096, "photos": 4, "manage": 262144}


@dataclass(slots=True)
class Person:
    id: int
    first_name: str
    last_name: str
    domain: str
    # "deleted" or "banned": VK tells it with names of its own.
    deactivated: str = ""
    # No: the community may not write to them.
    takes_messages: bool = True

    def shown(self) -> Json:
        told: Json = {
            "id": self.id,
            "domain": self.domain,
            "first_name": self.first_name,
            "last_name": self.last_name,
        }
        if self.deactivated:
            return told | {"deactivated": self.deactivated}
        return told | {"can_access_closed": True, "is_closed": False}


@dataclass(slots=True)
class Chat:
    """A conversation: with one person, whose id it has, or a chat of many."""

    peer_id: int
    title: str = ""
    # No: the community sees messages, but is told nothing of the chat itself.
    is_admin: bool = True
    # No: it was thrown out; calls end with 917.
    is_member: bool = True
    messages: list[Message] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return self.peer_id >= CHATS_FROM

    def shown(self) -> Json:
        last = len(self.messages)
        local_id = self.peer_id - CHATS_FROM if self.is_group else self.peer_id
        kind = "chat" if self.is_group else "user" if self.peer_id > 0 else "group"
        told: Json = {
            "peer": {"id": self.peer_id, "type": kind, "local_id": abs(local_id)},
            "last_message_id": 0,
            "in_read": 0,
            "out_read": 0,
            "sort_id": {"major_id": 0, "minor_id": last},
            "last_conversation_message_id": last,
            "in_read_cmid": last,
            "out_read_cmid": last,
            "is_marked_unread": False,
            "important": False,
            "can_write": {"allowed": True},
        }
        if self.is_group:
            told["chat_settings"] = {
                "title": self.title,
                "members_count": 3,
                "state": "in",
                "active_ids": [],
                "is_group_channel": False,
            }
        return told


@dataclass(slots=True)
class Message:
    peer_id: int
    cmid: int
    from_id: int
    text: str
    date: int
    random_id: int = 0
    payload: str = ""
    keyboard: Json | None = None
    attachments: Sequence[Json] = ()
    reply: Message | None = None
    forwarded: Sequence[Message] = ()
    action: Json | None = None
    geo: Json | None = None
    update_time: int = 0

    def shown(self) -> Json:
        """As a whole; `cropped` is what an event shows of what is too big for it."""
        told: Json = {
            "date": self.date,
            "from_id": self.from_id,
            # In chats only the cmid tells messages apart.
            "id": 0 if self.peer_id >= CHATS_FROM else self.cmid,
            "out": 1 if self.from_id < 0 else 0,
            "version": 10_000_000 + self.cmid,
            "attachments": list(self.attachments),
            "conversation_message_id": self.cmid,
            "fwd_messages": [one.shown() for one in self.forwarded],
            "important": False,
            "is_hidden": False,
            "peer_id": self.peer_id,
            "random_id": self.random_id,
            "text": self.text,
        }
        if self.reply is not None:
            told["reply_message"] = self.reply.shown()
        more = {
            "payload": self.payload,
            "keyboard": self.keyboard,
            "action": self.action,
            "geo": self.geo,
            "update_time": self.update_time,
        }
        return told | {name: value for name, value in more.items() if value}

    def payloads(self) -> Iterator[Json]:
        """What each of its callback buttons tells when it is pressed."""
        for row in (self.keyboard or {}).get("buttons", ()):
            for button in row:
                if button["action"]["type"] == "callback":
                    yield orjson.loads(button["action"]["payload"])

    def cropped(self) -> Json:
        told = self.shown() | {"is_cropped": True}
        return told | {
            "attachments": told["attachments"][:1],
            "fwd_messages": told["fwd_messages"][:1],
        }
