"""The bare router: does what the services did whose place malexbot takes.

vk_api as it comes and its long poll, three look-ups for each message, then PUBLISH.
(They published pickles, which take longer than this JSON.)
"""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import redis
import requests
import vk_api
from jconfig.memory import MemoryConfig
from requests.adapters import HTTPAdapter
from vk_api.bot_longpoll import VkBotLongPoll

API = "https://api.vk.ru"
VERSION = "5.199"


class Detour(HTTPAdapter):
    """vk_api has the address of VK in it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace(API, self._url, 1)
        return super().send(request, *args, **more)


def event(api: Any, told: dict[str, Any]) -> dict[str, Any]:
    """With the names of who wrote where, and the message fetched once more."""
    message = told["object"]["message"]
    peer_id, cmid = message["peer_id"], message["conversation_message_id"]
    (user,) = api.users.get(user_ids=message["from_id"], fields="domain")
    chats = api.messages.getConversationsById(peer_ids=peer_id)
    found = api.messages.getByConversationMessageId(
        peer_id=peer_id, conversation_message_ids=cmid
    )
    text = found["items"][0]["text"]
    return {
        "event_type": "command" if text.startswith(("/", "!")) else "message",
        "event_id": told["event_id"],
        "user": {
            "uuid": user["id"],
            "name": f"{user['first_name']} {user['last_name']}",
            "firstname": user["first_name"],
            "lastname": user["last_name"],
            "nick": user["domain"],
        },
        "peer": {
            "bpid": peer_id,
            "cid": peer_id - 2_000_000_000,
            "name": chats["items"][0]["chat_settings"]["title"],
        },
        "message": {
            "cmid": cmid,
            "text": text,
            "reply": None,
            "forward": [],
            "attachments": [],
        },
    }


def main(told: dict[str, Any]) -> None:
    session = requests.Session()
    session.mount(API, Detour(told["url"]))
    client = getattr(vk_api.vk_api, told["client"])(
        token=told["token"], session=session, config=MemoryConfig, api_version=VERSION
    )
    api, bus = client.get_api(), redis.Redis.from_url(told["redis"])
    polls = VkBotLongPoll(client, told["group_id"])
    print("ready", flush=True)
    for update in polls.listen():
        found = event(api, update.raw)
        bus.publish(found["event_type"], orjson.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
