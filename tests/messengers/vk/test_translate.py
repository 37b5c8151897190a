from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.events import Command, Event, Message, Peer, Reaction, Reply, User
from malexbot.messengers.vk.contents import Unreadable
from malexbot.messengers.vk.translate import Translator
from tests.messengers.vk.conftest import NOW_MS

GROUP = 218730916
CHAT = 2_000_000_002
READER = Translator(GROUP, lambda: NOW_MS)


def update(type: str, object: Any, **more: Any) -> dict[str, Any]:
    told = {"group_id": GROUP, "type": type, "event_id": "d31e92", "v": "5.199"}
    return {**told, "object": object, **more}


def row(text: Any = "Hi!", **more: Any) -> dict[str, Any]:
    message = {
        "date": 1709107598,
        "from_id": 206295116,
        "id": 0,
        "out": 0,
        "attachments": [],
        "conversation_message_id": 2707,
        "fwd_messages": [],
        "peer_id": CHAT,
        "random_id": 0,
        "text": text,
    }
    return {**message, **more}


def read(told: Any) -> Event:
    return READER.event(told, origin="live", connection=3)


def said(text: Any = "Hi!", **more: Any) -> Event:
    object = {"message": row(text, **more), "client_info": {}}
    return read(update("message_new", object))


def test_a_message_is_one() -> None:
    event = said()
    assert event.event_id == "d31e92"
    assert (event.source, event.event_type, event.name) == (
        "vk",
        "message",
        "message_new",
    )
    assert event.peer == Peer(CHAT, 2)
    assert event.user == User(206295116)
    assert event.message == Message(2707, "Hi!")
    assert (event.occurred_at, event.connection) == (1709107598000, 3)
    assert orjson.loads(event.raw)["type"] == "message_new"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/ban 7 days", Command("/ban", "7 days")),
        ("!ban", Command("/ban", "")),
        ("/бан всех", Command("/бан", "всех")),
        (f"[club{GROUP}|@bot] /ban 7", Command("/ban", "7")),
        ("/say a\nb", Command("/say", "a\nb")),
        ("/dev-status v1.2 now", Command("/dev-status", "v1.2 now")),
    ],
)
def test_commands_are_told_from_messages(text: str, command: Command) -> None:
    event = said(text)
    assert (event.event_type, event.command) == ("command", command)
    assert event.message is not None and event.message.text == text


@pytest.mark.parametrize(
    "text", ["!!!", "/", "", "a /ban", "/ ban", "//x", "[club1|other] /ban"]
)
def test_what_only_looks_like_a_command_is_none(text: str) -> None:
    assert said(text).event_type == "message"


@pytest.mark.parametrize("text", [None, ""])
def test_a_message_may_have_no_text(text: Any) -> None:
    message = said(text).message
    assert message is not None and message.text == ""


def test_a_private_message_has_a_peer() -> None:
    event = said(peer_id=206295116)
    assert event.peer == Peer(206295116, 206295116)
    assert event.data["channel_type"] == "D"


def test_a_community_may_be_the_author() -> None:
    assert said(from_id=-5).user == User(-5)


def test_replies_forwards_and_attachments_are_told() -> None:
    event = said(
        attachments=[{"type": "photo", "photo": {}}, {"type": "doc"}],
        geo={"type": "point"},
        reply_message=row("before", conversation_message_id=1),
        fwd_messages=[row("there", conversation_message_id=2), {"id": 9, "text": None}],
    )
    assert event.message == Message(
        2707,
        "Hi!",
        Reply(1, "before"),
        (Reply(2, "there"), Reply(9, "")),
        ("photo", "doc", "geo", "reply", "forward"),
    )


def test_what_a_service_message_tells_is_kept() -> None:
    event = said("/kick", action={"type": "chat_invite_user", "member_id": 7})
    assert event.event_type == "message"
    assert event.data["action"]["type"] == "chat_invite_user"


def test_an_edit_is_an_edit_of_now() -> None:
    event = read(update("message_edit", row("/ban", update_time=1709107700)))
    assert (event.event_type, event.occurred_at) == ("edit", 1709107700000)


def test_our_own_message_is_of_the_community() -> None:
    event = read(update("message_reply", row(from_id=-GROUP)))
    assert (event.event_type, event.user.uuid) == ("message", -GROUP)


@pytest.mark.parametrize(
    ("payload", "read_as"),
    [
        ({"ref": "ab"}, {"ref": "ab"}),
        ('{"ref": "ab"}', {"ref": "ab"}),
        (None, {}),
        ("no json", {"value": "no json"}),
        ("[1]", {"value": [1]}),
        (7, {"value": 7}),
    ],
)
def test_a_press_has_its_payload_as_a_map(payload: Any, read_as: Any) -> None:
    object = {
        "user_id": 7,
        "peer_id": CHAT,
        "event_id": "ac89a3425ec3",
        "payload": payload,
        "conversation_message_id": 2618,
    }
    event = read(update("message_event", object))
    assert event.button is not None
    assert event.button == (2618, "ac89a3425ec3", read_as)
    assert (event.event_type, event.occurred_at) == ("button", NOW_MS)
    assert event.data["response_url"] == "press:ac89a3425ec3"


def test_a_press_may_come_without_its_message() -> None:
    object = {"user_id": 7, "peer_id": CHAT, "event_id": "ac", "payload": {}}
    event = read(update("message_event", object))
    assert event.button is not None and event.button.cmid == 0


def test_a_reaction_is_given_and_taken() -> None:
    object = {"reacted_id": 7, "peer_id": CHAT, "cmid": 5, "reaction_id": 3}
    given_ = read(update("message_reaction_event", object))
    del object["reaction_id"]
    taken = read(update("message_reaction_event", object))
    assert given_.reaction == Reaction(5, 3)
    assert taken.reaction == Reaction(5, None)
    assert given_.user == User(7)


@pytest.mark.parametrize("type", ["group_join", "like_add", "message_typing_state"])
def test_what_has_no_form_of_its_own_is_not_dropped(type: str) -> None:
    event = read(update(type, {"user_id": 7, "join_type": "join"}))
    assert (event.event_type, event.user.uuid, event.peer.bpid) == (type, 7, -GROUP)
    assert event.data["join_type"] == "join"


def test_what_a_link_brings_along_is_no_reference_of_ours() -> None:
    """Anybody may write `ref` into the address of a conversation."""
    event = said(ref="0" * 32)
    assert "ref" not in event.data
    assert event.data["came_by"] == "0" * 32
    other = read(update("message_allow", {"user_id": 7, "ref": "0" * 32, "key": "k"}))
    assert other.data == {"user_id": 7, "key": "k"}


def test_the_same_update_without_an_id_has_the_same_id() -> None:
    told = update("group_join", {"user_id": 7})
    del told["event_id"]
    assert read(told).event_id == read(told).event_id
    assert read(told).event_id != read({**told, "object": {"user_id": 8}}).event_id


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        [],
        {},
        {"type": "message_new"},
        update("message_new", {}),
        update("message_new", None),
        update("message_new", {"message": {"peer_id": "7"}}),
        update("message_new", {"message": row(date=0)}),
        update("message_new", {"message": row(date="x")}),
        update("message_new", {"message": row(["text"])}),
        update("message_new", {"message": row("a\0b")}),
        update("message_new", {"message": row(attachments=[{}])}),
        update("message_new", {"message": row(conversation_message_id=True)}),
        update("message_event", {"user_id": 7}),
        update("message_reaction_event", {"reacted_id": 7, "peer_id": 1}),
        update("", {}),
        update("a:b", {}),
        update("group_join", {}, event_id=7),
        update("group_join", {}, event_id="a b"),
        update("group_join", {}, event_id="x" * 500),
    ],
)
def test_what_is_no_update_is_told_with_its_reason(told: Any) -> None:
    with pytest.raises(Unreadable, match="."):
        read(told)


def test_a_nul_that_is_only_spoken_of_is_none() -> None:
    message = said(r"write \u0000").message
    assert message is not None and message.text == r"write \u0000"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([*row(), "message", "object"]), inner, max_size=4
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["message_new", "message_edit", "message_event", "x"]),
    st.dictionaries(st.sampled_from([*row(), "user_id", "payload"]), JSON, max_size=6),
)
def test_nothing_but_unreadable_is_raised(type: str, odd: dict[str, Any]) -> None:
    for object in (odd, {"message": {**row(), **odd}}, {**row(), **odd}):
        try:
            event = read(update(type, object))
        except Unreadable:
            continue
        assert json.loads(event.raw)["type"] == type


def test_a_gap_is_an_event() -> None:
    event = READER.gap("5", "9", "lost", connection=1)
    assert (event.event_type, event.event_id) == ("gap", f"gap:{GROUP}:5:9")
    assert event.data == {"ts_from": "5", "ts_to": "9", "reason": "lost"}
