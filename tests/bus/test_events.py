"""The outer forms of an event are those that services read already."""

from __future__ import annotations

from datetime import timezone
from types import MappingProxyType
from typing import Any

import orjson
import pytest

from malexbot.events import (
    Button,
    Command,
    Event,
    Message,
    Peer,
    Reaction,
    Reply,
    User,
    hushed,
)
from tests.support.events import edited, posted

PARTS = (Button, Message, Reaction, Reply, User, Peer)
RUSLAN = User(206295116, "Руслан Башинский", "Руслан", "Башинский", "oidaho")
CHAT = Peer(2000000002, 2, "FUNCKA | DEV | CHAT")


def of_vk(event_type: str, **parts: Any) -> Event:
    known: dict[str, Any] = {
        "event_id": "b0d7020c",
        "source": "vk",
        "name": "message_new",
        "occurred_at": 1709107923_000,
        "origin": "live",
        "connection": 1,
        "raw": b"{}",
    }
    return Event(event_type=event_type, peer=CHAT, user=RUSLAN, **known, **parts)


def test_the_parts_have_the_fields_of_the_fetcher() -> None:
    """In their order: who unpacks them finds each where it was."""
    assert {kind.__name__: kind._fields for kind in PARTS} == {
        "Button": ("cmid", "beid", "payload"),
        "Message": ("cmid", "text", "reply", "forward", "attachments"),
        "Reaction": ("cmid", "rid"),
        "Reply": ("cmid", "text"),
        "User": ("uuid", "name", "firstname", "lastname", "nick"),
        "Peer": ("bpid", "cid", "name"),
    }


def test_a_command_is_the_fetchers_key_for_key() -> None:
    event = of_vk("command", message=Message(3895, "/command"))
    expected = {
        "event_type": "command",
        "event_id": "b0d7020c",
        "user": {
            "uuid": 206295116,
            "name": "Руслан Башинский",
            "firstname": "Руслан",
            "lastname": "Башинский",
            "nick": "oidaho",
        },
        "peer": {"bpid": 2000000002, "cid": 2, "name": "FUNCKA | DEV | CHAT"},
        "message": {
            "cmid": 3895,
            "text": "/command",
            "reply": None,
            "forward": [],
            "attachments": [],
        },
    }
    # The order of the keys too.
    assert orjson.dumps(event.as_dict()) == orjson.dumps(expected)


def test_what_is_within_is_told_to_the_last() -> None:
    said = Message(3, "hi", Reply(1, "orig"), (Reply(2, "other"),), ("photo",))
    told = of_vk("message", message=said).as_dict()["message"]
    assert told["reply"] == {"cmid": 1, "text": "orig"}
    assert told["forward"] == [{"cmid": 2, "text": "other"}]
    assert told["attachments"] == ["photo"]


def test_by_its_type_it_has_a_button_or_a_reaction() -> None:
    payload = MappingProxyType({"call_action": "test", "deep": (1, {"a": 2})})
    pressed = of_vk("button", button=Button(2618, "ac89", payload)).as_dict()
    assert list(pressed) == ["event_type", "event_id", "user", "peer", "button"]
    assert pressed["button"] == {
        "cmid": 2618,
        "beid": "ac89",
        "payload": {"call_action": "test", "deep": [1, {"a": 2}]},
    }
    taken_away = of_vk("reaction", reaction=Reaction(5, None)).as_dict()
    assert taken_away["reaction"] == {"cmid": 5, "rid": None}


def test_a_slash_command_of_mattermost_is_a_message_as_typed() -> None:
    event = posted()._replace(
        event_type="command", message=None, post=None, command=Command("/ban", "eve 1d")
    )
    assert event.as_dict()["message"]["text"] == "/ban eve 1d"
    assert event._replace(command=Command("/ban", "")).said == Message("", "/ban")
    assert posted(text="hi").said == posted(text="hi").message


def test_a_message_is_the_older_services_key_for_key() -> None:
    event = of_vk("message", message=Message(2708, "Hi!"))
    expected = {
        "ts": 1709107923,
        "datetime": "2024-02-28 11:12:03",
        "event_type": "message_new",
        "event_id": "b0d7020c",
        "user_id": 206295116,
        "user_name": "Руслан Башинский",
        "user_nick": "oidaho",
        "peer_id": 2000000002,
        "peer_name": "FUNCKA | DEV | CHAT",
        "chat_id": 2,
        "cmid": 2708,
        "text": "Hi!",
        "reply": None,
        "forward": [],
        "attachments": [],
    }
    assert orjson.dumps(event.to_flat()) == orjson.dumps(expected)


def test_a_button_is_the_older_services_key_for_key() -> None:
    payload = {"keyboard_owner_id": 206295116, "call_action": "test"}
    event = of_vk("button", button=Button(2618, "ac89a3425ec3", payload))
    flat = event._replace(occurred_at=1709107935_000).to_flat()
    assert flat is not None
    assert " ".join(flat) == (
        "ts datetime event_type event_id user_id user_name user_nick"
        " peer_id peer_name chat_id cmid button_event_id payload"
    )
    assert (flat["datetime"], flat["event_type"]) == (
        "2024-02-28 11:12:15",
        "button_pressed",
    )
    assert (flat["button_event_id"], flat["payload"]) == ("ac89a3425ec3", payload)


def test_what_the_older_service_did_not_know_has_no_flat_form() -> None:
    assert of_vk("reaction", reaction=Reaction(5, 1)).to_flat() is None
    assert edited().to_flat() is None
    command = of_vk("command", message=Message(1, "/x")).to_flat(timezone.utc)
    assert command is not None
    assert command["event_type"] == "command_call"
    assert command["datetime"] == "2024-02-28 08:12:03"


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (posted(), "posted"),
        (edited(), "post_edited"),
        (of_vk("message"), "posted"),
        (of_vk("edit"), "post_edited"),
        (of_vk("command"), "command"),
        (of_vk("button"), "button"),
        (of_vk("reaction", reaction=Reaction(1, 4)), "reaction_added"),
        (of_vk("reaction", reaction=Reaction(1, None)), "reaction_removed"),
        (of_vk("gap")._replace(name="gap"), "gap"),
        (of_vk("group_join")._replace(name="group_join"), "group_join"),
    ],
)
def test_what_happens_everywhere_has_one_name(event: Event, name: str) -> None:
    assert event.common_name == name


QUIET = "@\N{ZERO WIDTH SPACE}"
STAR = "*\N{ZERO WIDTH SPACE}"


@pytest.mark.parametrize(
    ("messenger", "text", "said"),
    [
        ("mattermost", "@channel: down", f"{QUIET}channel: down"),
        ("mattermost", "hi @ALL, (@here)", f"hi {QUIET}ALL, ({QUIET}here)"),
        ("mattermost", "x.@all", f"x.{QUIET}all"),
        ("vk", "@all @Online!", f"{QUIET}all {QUIET}Online!"),
        ("vk", "*all, *everyone", f"{STAR}all, {STAR}everyone"),
        ("vk", "@все, @Здесь (*тут)", f"{QUIET}все, {QUIET}Здесь ({STAR}тут)"),
    ],
)
def test_a_text_is_hushed_for_where_it_is_said(
    messenger: str, text: str, said: str
) -> None:
    assert hushed(text, messenger) == said
    assert hushed(said, messenger) == said


@pytest.mark.parametrize(
    ("messenger", "text"),
    [
        ("mattermost", "@alice and bob@all.example"),
        ("mattermost", "@allan @herein @channels"),
        ("mattermost", "*all* @online @все"),
        ("vk", "@id1 and [id1|Anna], bob@all.example"),
        ("vk", "@allan, 2*all, @channel, @всем, * all"),
        ("redis", "@all"),
    ],
)
def test_what_pings_nobody_stays_as_it_is(messenger: str, text: str) -> None:
    assert hushed(text, messenger) == text
