"""An event crosses the bus as JSON and is the same on the other side."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.bus import SCHEMA, NoEvent, decode, encode, read, wire
from malexbot.events import (
    Button,
    Command,
    Event,
    Form,
    Message,
    Peer,
    Post,
    Reaction,
    Reply,
    User,
)
from tests.support.events import posted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.none() | TEXT
NUMBER = st.integers(-(2**63), 2**63 - 1)
ID = NUMBER | TEXT
FLAG = st.booleans()
JSON = st.recursive(
    st.none() | FLAG | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MAP = st.dictionaries(TEXT, JSON, max_size=3)
REPLY = st.builds(Reply, ID, TEXT)


def many(each: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=3).map(tuple)


POST = st.builds(Post, *[TEXT] * 7, *[NUMBER] * 4, st.just(""), many(TEXT), FLAG)
EVENT = st.builds(
    Event,
    event_id=TEXT,
    source=TEXT,
    name=TEXT,
    event_type=TEXT,
    peer=st.builds(Peer, ID, ID, NAME),
    user=st.builds(User, ID, NAME, NAME, NAME, NAME),
    occurred_at=NUMBER,
    origin=st.sampled_from(["live", "backfill", "replay"]),
    connection=st.just(0),
    raw=st.just(b""),
    message=st.none()
    | st.builds(Message, ID, TEXT, st.none() | REPLY, many(REPLY), many(TEXT)),
    reaction=st.none() | st.builds(Reaction, ID, st.none() | ID),
    button=st.none() | st.builds(Button, ID, TEXT, MAP),
    post=st.none() | POST,
    data=MAP,
    command=st.none() | st.builds(Command, TEXT, TEXT),
    form=st.none() | st.builds(Form, TEXT, MAP, MAP, FLAG),
)


@settings(max_examples=60, deadline=None)
@given(EVENT)
def test_it_comes_back_as_it_went(event: Event) -> None:
    found = decode(encode(event))
    assert found == event
    assert [type(part) for part in found] == [type(part) for part in event]


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_whatever_comes_is_an_event_or_refused(told: Any) -> None:
    with pytest.raises(NoEvent):
        read(told)
    with pytest.raises(NoEvent):
        read({**wire(posted()), "user": told})


def test_what_the_messenger_sent_stays_at_home() -> None:
    event = posted(text="hi", raw='{"as": "it came"}')
    assert b"it came" not in encode(event)
    found = decode(encode(event))
    assert (found.raw, found.connection) == (b"", 0)
    assert found.post is not None and event.post is not None
    assert found.post == event.post._replace(raw="")


def test_nobody_gets_what_a_call_is_answered_by() -> None:
    keys = {"ref": "a", "trigger_id": "b", "response_url": "c", "cookie": "d"}
    told = wire(posted()._replace(data={**keys, "team": "acme"}))
    assert told["data"] == {"team": "acme"}


def test_later_keys_are_left_alone_and_missing_ones_are_defaults() -> None:
    told = {**wire(posted()), "tomorrow": 1}
    told["user"] = {"uuid": 5, "age": 7}
    del told["form"], told["button"]
    found = read(told)
    assert (found.user, found.form) == (User(5), None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": SCHEMA + 1}, "form 2; this malexbot reads 1"),
        ({"peer": None}, "peer needs a map"),
        ({"peer": {"bpid": 1}}, "peer.cid is missing"),
        ({"event_id": 5}, "event_id needs text"),
        ({"occurred_at": "now"}, "occurred_at needs a number"),
        ({"occurred_at": True}, "occurred_at needs a number"),
        ({"origin": "tomorrow"}, "origin needs one of live, backfill, replay"),
        ({"data": []}, "data needs a map"),
        ({"message": {"cmid": 1.5, "text": ""}}, "message.cmid needs a number"),
        (
            {"message": {"cmid": 1, "text": "", "forward": [{"cmid": 1}]}},
            r"message.forward\[0\].text is missing",
        ),
        (
            {"message": {"cmid": 1, "text": "", "forward": "all"}},
            "message.forward needs a list",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoEvent, match=said):
        read({**wire(posted()), **changes})


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(NoEvent, match="no JSON"):
        decode("{")
    with pytest.raises(NoEvent, match="schema"):
        decode(b"[]")


def test_the_form_is_one_that_any_language_reads() -> None:
    told = orjson.loads(encode(posted("p1", "hi")))
    assert (told["schema"], told["event_id"]) == (SCHEMA, "p1")
    assert told["user"]["nick"] == "alice"
    assert told["message"]["text"] == "hi"
