"""The methods of VK's API that a bot of a community calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from malexbot.sandbox.model import Json
from malexbot.sandbox.vk.ledger import PressAnswer, Sent
from malexbot.sandbox.vk.model import EVENTS, RIGHTS, Message
from malexbot.sandbox.vk.refusals import Refusal
from malexbot.sandbox.vk.world import VkWorld

Params = Mapping[str, str]
Method = Callable[[Params], Any]

MOST_USERS = 1000
MOST_PEERS = 100
MOST_MESSAGES = 100
LONGEST_EVENT_DATA = 1000
MOST_REACTIONS = 16


class Methods:
    """Each answers what stands under "response", or raises Refusal."""

    def __init__(self, world: VkWorld, server_url: Callable[[], str]) -> None:
        self._world = world
        self._server_url = server_url

    def table(self) -> dict[str, Method]:
        return {
            "groups.getById": self._group,
            "groups.getLongPollServer": self._long_poll_server,
            "groups.getLongPollSettings": self._long_poll_settings,
            "groups.getTokenPermissions": self._rights,
            "users.get": self._users,
            "messages.getConversationsById": self._conversations,
            "messages.getByConversationMessageId": self._messages,
            "messages.send": self._send,
            "messages.edit": self._edit,
            "messages.sendMessageEventAnswer": self._answer_press,
            "messages.sendReaction": self._react,
            "utils.getServerTime": self._time,
        }

    def _group(self, params: Params) -> Json:
        settings = self._world.settings
        group = {
            "id": settings.group_id,
            "name": settings.group_name,
            "screen_name": f"club{settings.group_id}",
            "is_closed": 0,
            "type": "group",
        }
        return {"groups": [group], "profiles": []}

    def _long_poll_server(self, params: Params) -> Json:
        if _number(params, "group_id") != self._world.settings.group_id:
            raise Refusal(15, "group_id")
        self._world.faults.deaf(False)
        return {
            "key": self._world.key,
            "server": self._server_url(),
            "ts": str(self._world.begin_anew()),
        }

    def _long_poll_settings(self, params: Params) -> Json:
        settings = self._world.settings
        if _number(params, "group_id") != settings.group_id:
            raise Refusal(15, "group_id")
        return {
            "api_version": settings.version,
            "events": {name: int(name in settings.events) for name in EVENTS},
            "is_enabled": settings.is_long_poll,
        }

    def _rights(self, params: Params) -> Json:
        rights = self._world.settings.rights
        permissions = [{"name": name, "setting": RIGHTS[name]} for name in rights]
        mask = sum(RIGHTS[name] for name in rights)
        return {"mask": mask, "permissions": permissions}

    def _users(self, params: Params) -> list[Json]:
        """Communities are no users: their ids are left out."""
        ids = _numbers(params, "user_ids", MOST_USERS)
        people = self._world.people
        return [people[id].shown() for id in ids if id in people]

    def _conversations(self, params: Params) -> Json:
        """Of those that the community sees; of a chat only an admin is told."""
        chats = []
        for peer_id in _numbers(params, "peer_ids", MOST_PEERS):
            chat = self._world.chat(peer_id)
            if not chat.is_group or chat.is_admin:
                chats.append(chat.shown())
        return {"count": len(chats), "items": chats}

    def _messages(self, params: Params) -> Json:
        chat = self._world.chat(_number(params, "peer_id"))
        cmids = _numbers(params, "conversation_message_ids", MOST_MESSAGES)
        found = [m.shown() for m in chat.messages if m.cmid in cmids]
        return {"count": len(found), "items": found}

    def _send(self, params: Params) -> Any:
        """To one peer, or to some: each then has an answer or error of its own."""
        if "random_id" not in params:
            raise Refusal(100, "random_id is undefined")
        if "peer_ids" in params:
            ids = _numbers(params, "peer_ids", MOST_PEERS)
            return [self._send_one_of_many(peer_id, params) for peer_id in ids]
        message = self._send_to(_number(params, "peer_id"), params)
        return message.shown()["id"]

    def _send_one_of_many(self, peer_id: int, params: Params) -> Json:
        told = {"peer_id": peer_id, "message_id": 0, "conversation_message_id": 0}
        try:
            message = self._send_to(peer_id, params)
        except Refusal as refusal:
            error = {"code": refusal.code, "description": refusal.message}
            return told | {"error": error}
        return told | {
            "message_id": message.shown()["id"],
            "conversation_message_id": message.cmid,
        }

    def _send_to(self, peer_id: int, params: Params) -> Message:
        world = self._world
        chat = world.chat(peer_id)
        person = world.people.get(peer_id)
        if person is not None and not person.takes_messages:
            raise Refusal(901)
        random_id = _number(params, "random_id")
        if known := world.by_random_id.get((peer_id, random_id)):
            return known
        text, keyboard = self._text(params), _json(params, "keyboard")
        forward = _json(params, "forward") or {}
        reply_to = int(forward.get("conversation_message_ids", [0])[0])
        world.faults.strike_now("before")
        message = world.add_message(
            chat.peer_id,
            -world.settings.group_id,
            text,
            random_id=random_id,
            keyboard=keyboard,
            reply=world.message(peer_id, reply_to) if reply_to else None,
        )
        if random_id:
            world.by_random_id[peer_id, random_id] = message
        cmid = message.cmid
        world.ledger.send(Sent(peer_id, cmid, random_id, text, keyboard, reply_to))
        world.tell("message_reply", message.shown())
        world.faults.strike_now("after")
        return message

    def _edit(self, params: Params) -> int:
        cmid = _number(params, "conversation_message_id")
        message = self._world.message(_number(params, "peer_id"), cmid)
        if message.from_id != -self._world.settings.group_id:
            raise Refusal(15, "can't edit this message")
        message.text = self._text(params)
        # Without one, the keyboard that it has is gone.
        message.keyboard = _json(params, "keyboard")
        message.update_time = int(time.time())
        self._world.tell("message_edit", message.shown())
        return 1

    def _answer_press(self, params: Params) -> int:
        shown = _json(params, "event_data")
        if len(params.get("event_data", "")) > LONGEST_EVENT_DATA:
            raise Refusal(100, "event_data is too long")
        user_id, peer_id = _number(params, "user_id"), _number(params, "peer_id")
        press = (params.get("event_id", ""), user_id, peer_id)
        began = self._world.presses.pop(press, None)
        if began is None or time.monotonic() - began > self._world.settings.press_s:
            raise Refusal(100, "event_id is invalid")
        self._world.ledger.answer(PressAnswer(press[0], user_id, peer_id, shown))
        return 1

    def _react(self, params: Params) -> int:
        peer_id, cmid = _number(params, "peer_id"), _number(params, "cmid")
        number = _number(params, "reaction_id")
        self._world.message(peer_id, cmid)
        if not 0 < number <= MOST_REACTIONS:
            raise Refusal(100, "reaction_id is invalid")
        self._world.ledger.react(peer_id, cmid, number)
        return 1

    def _time(self, params: Params) -> int:
        return int(time.time())

    def _text(self, params: Params) -> str:
        text = params.get("message", "")
        if not text:
            raise Refusal(100, "message is empty or invalid")
        if len(text) > self._world.settings.longest_text:
            raise Refusal(914)
        return text


def _number(params: Params, name: str) -> int:
    try:
        return int(params[name])
    except (KeyError, ValueError):
        raise Refusal(100, f"{name} is undefined") from None


def _numbers(params: Params, name: str, most: int) -> list[int]:
    try:
        numbers = [int(word) for word in params[name].split(",")]
    except (KeyError, ValueError):
        raise Refusal(100, f"{name} is invalid") from None
    if len(numbers) > most:
        raise Refusal(100, f"{name} has too many")
    return numbers


def _json(params: Params, name: str) -> Json | None:
    if not params.get(name):
        return None
    try:
        value = orjson.loads(params[name])
    except ValueError:
        raise Refusal(100, f"{name} is no JSON") from None
    if not isinstance(value, dict):
        raise Refusal(100, f"{name} is no object")
    return value
