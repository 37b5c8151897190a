"""The example of the services that came before, from VK to those who read it."""

from __future__ import annotations

from typing import Any

import orjson

from malexbot.bus import decode, encode
from malexbot.events import Event
from malexbot.messengers.vk.translate import Translator

GROUP, NOW_MS = 218730916, 1709107935_000
# As VK tells it: a message in a chat, and a pressed button.
SAID = {
    "group_id": GROUP,
    "type": "message_new",
    "event_id": "d31e92e8ccde1fa2cde93eeaf9cbdf6d0cd0a936",
    "v": "5.199",
    "object": {
        "message": {
            "date": 1709107598,
            "from_id": 206295116,
            "id": 0,
            "out": 0,
            "version": 10012065,
            "attachments": [],
            "conversation_message_id": 2707,
            "fwd_messages": [],
            "important": False,
            "is_hidden": False,
            "peer_id": 2000000002,
            "random_id": 0,
            "text": "Hi!",
            "is_unavailable": True,
        },
        "client_info": {"keyboard": True, "lang_id": 0},
    },
}
PRESSED = {
    "group_id": GROUP,
    "type": "message_event",
    "event_id": "e93488a3813b59f6c6b53ee51f59103e2a9240d6",
    "v": "5.199",
    "object": {
        "user_id": 206295116,
        "peer_id": 2000000002,
        "event_id": "ac89a3425ec3",
        "payload": {"keyboard_owner_id": 206295116, "call_action": "test"},
        "conversation_message_id": 2618,
    },
}
USER = {
    "uuid": 206295116,
    "name": "Руслан Башинский",
    "firstname": "Руслан",
    "lastname": "Башинский",
    "nick": "oidaho",
}
PEER = {"bpid": 2000000002, "cid": 2, "name": "FUNCKA | DEV | CHAT"}
FLAT = {
    "user_id": 206295116,
    "user_name": "Руслан Башинский",
    "user_nick": "oidaho",
    "peer_id": 2000000002,
    "peer_name": "FUNCKA | DEV | CHAT",
    "chat_id": 2,
}


def read(update: dict[str, Any]) -> Event:
    """As a service has it that reads the bus: told, named, written and read."""
    translator = Translator(GROUP, now_ms=lambda: NOW_MS)
    event = translator.event(update, origin="live", connection=1)
    user = event.user._replace(**{k: v for k, v in USER.items() if k != "uuid"})
    peer = event.peer._replace(name=PEER["name"])
    return decode(encode(event._replace(user=user, peer=peer)))


def same(told: Any, expected: Any) -> bool:
    """The order of the keys too."""
    return orjson.dumps(told) == orjson.dumps(expected)


def test_a_message_is_what_both_services_made_of_it() -> None:
    event = read(SAID)
    said = {
        "cmid": 2707,
        "text": "Hi!",
        "reply": None,
        "forward": [],
        "attachments": [],
    }
    assert same(
        event.as_dict(),
        {
            "event_type": "message",
            "event_id": SAID["event_id"],
            "user": USER,
            "peer": PEER,
            "message": said,
        },
    )
    assert same(
        event.to_flat(),
        {
            "ts": 1709107598,
            "datetime": "2024-02-28 11:06:38",
            "event_type": "message_new",
            "event_id": SAID["event_id"],
            **FLAT,
            **said,
        },
    )


def test_a_button_is_what_both_services_made_of_it() -> None:
    event = read(PRESSED)
    payload = {"keyboard_owner_id": 206295116, "call_action": "test"}
    assert same(
        event.as_dict(),
        {
            "event_type": "button",
            "event_id": PRESSED["event_id"],
            "user": USER,
            "peer": PEER,
            "button": {"cmid": 2618, "beid": "ac89a3425ec3", "payload": payload},
        },
    )
    assert same(
        event.to_flat(),
        {
            "ts": 1709107935,
            "datetime": "2024-02-28 11:12:15",
            "event_type": "button_pressed",
            "event_id": PRESSED["event_id"],
            **FLAT,
            "cmid": 2618,
            "button_event_id": "ac89a3425ec3",
            "payload": payload,
        },
    )
