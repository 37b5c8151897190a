"""What people do at VK, made to happen by tests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

from malexbot.sandbox.model import Json
from malexbot.sandbox.vk.model import CHATS_FROM, Chat, Person
from malexbot.sandbox.vk.world import VkWorld

# What people's apps can do, as VK tells it along with each message.
CLIENT = {
    "button_actions": ["text", "open_link", "callback"],
    "keyboard": True,
    "inline_keyboard": True,
    "carousel": True,
    "lang_id": 0,
}


class VkScene:
    """Safe to use from many threads; ids are VK's."""

    def __init__(self, world: VkWorld) -> None:
        self._world = world

    def add_person(
        self,
        first_name: str = "Anna",
        last_name: str = "Lind",
        *,
        domain: str = "",
        deactivated: str = "",
        takes_messages: bool = True,
    ) -> int:
        """Somebody new; returns the id."""
        with self._world.changed:
            id = 1001 + len(self._world.people)
            self._world.people[id] = Person(
                id=id,
                first_name=first_name,
                last_name=last_name,
                domain=domain or f"id{id}",
                deactivated=deactivated,
                takes_messages=takes_messages,
            )
        return id

    def add_chat(self, title: str = "Town", *, is_admin: bool = True) -> int:
        """A chat that the community is in; returns its peer id."""
        with self._world.changed:
            groups = sum(chat.is_group for chat in self._world.chats.values())
            peer_id = CHATS_FROM + 1 + groups
            self._world.chats[peer_id] = Chat(peer_id, title, is_admin)
        return peer_id

    def rename_chat(self, peer_id: int, title: str) -> None:
        with self._world.changed:
            self._world.chats[peer_id].title = title

    def throw_out(self, peer_id: int, *, is_member: bool = False) -> None:
        """The community is thrown out of a chat, or let in again."""
        with self._world.changed:
            self._world.chats[peer_id].is_member = is_member

    def say(
        self,
        peer_id: int,
        user_id: int,
        text: str,
        *,
        reply_to: int = 0,
        forward: Sequence[int] = (),
        is_cropped: bool = False,
        **more: Any,
    ) -> int:
        """Somebody writes; `more` is of Message. Returns the message's cmid."""
        with self._world.changed:
            cited = [self._world.message(peer_id, cmid) for cmid in forward]
            reply = self._world.message(peer_id, reply_to) if reply_to else None
            message = self._world.add_message(
                peer_id, user_id, text, reply=reply, forwarded=cited, **more
            )
            shown = message.cropped() if is_cropped else message.shown()
            object = {"message": shown, "client_info": CLIENT}
            self._world.tell("message_new", object)
        return message.cmid

    def edit(self, peer_id: int, cmid: int, text: str) -> None:
        with self._world.changed:
            message = self._world.message(peer_id, cmid)
            message.text, message.update_time = text, int(time.time())
            self._world.tell("message_edit", message.shown())

    def press(
        self, peer_id: int, user_id: int, cmid: int, payload: Json | str | None
    ) -> str:
        """Somebody presses a callback button; returns what its answer has to name."""
        press_id = secrets.token_hex(6)
        object = {
            "user_id": user_id,
            "peer_id": peer_id,
            "event_id": press_id,
            "payload": payload,
            "conversation_message_id": cmid,
        }
        with self._world.changed:
            self._world.presses[press_id, user_id, peer_id] = time.monotonic()
            self._world.tell("message_event", object)
        return press_id

    def buttons(self) -> list[Json]:
        """What the community shows to be pressed: `peer_id`, `cmid` and `payload`."""
        with self._world.changed:
            return [
                {"peer_id": chat.peer_id, "cmid": message.cmid, "payload": payload}
                for chat in self._world.chats.values()
                for message in chat.messages
                for payload in message.payloads()
            ]

    def react(
        self, peer_id: int, user_id: int, cmid: int, reaction_id: int | None
    ) -> None:
        """Somebody reacts; None takes the reaction away."""
        object = {"reacted_id": user_id, "peer_id": peer_id, "cmid": cmid}
        if reaction_id is not None:
            object["reaction_id"] = reaction_id
        self._world.tell("message_reaction_event", object)

    def happen(self, type: str, object: Json, *, event_id: str = "") -> str:
        """Any update; returns its event id."""
        return self._world.tell(type, object, event_id=event_id)

    # The session of the long poll.

    def expire_key(self) -> None:
        """The key of now is too old: polls by it end with failed 2."""
        self._world.end_key(2)

    def lose_information(self) -> None:
        """All that waits is lost: polls by the key of now end with failed 3."""
        self._world.forget_updates()
        self._world.end_key(3)

    def outdate_history(self) -> None:
        """What waits is gone: older ts end with failed 1."""
        self._world.forget_updates()

    def head(self) -> int:
        """The ts of now."""
        return self._world.ts

    def text(self, peer_id: int, cmid: int) -> str:
        """What a message says now."""
        with self._world.changed:
            return self._world.message(peer_id, cmid).text
