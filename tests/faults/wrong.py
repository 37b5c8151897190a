"""Frames and rows that are wrong in every way we could think of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.town import Town

# What becomes of it: a post is archived, or what came in is kept for a person.
Fate = Literal["archived", "rejected"]
Json = dict[str, Any]

DEEP = 10_000
MEGABYTE = 1 << 20
# More than the intake's whole room for what waits is 32 MiB; this is half of it.
HUGE = 17 * MEGABYTE
EMOJI = "👩‍🚀"
MISSING = object()


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


class Writer:
    """Writes frames and rows of one channel, with changes."""

    def __init__(
        self, town: Town, now_ms: int, *, channel_id: str = "", post_id: str = ""
    ) -> None:
        self._town = town
        self._now_ms = now_ms
        self._channel_id = channel_id or town.channel
        self.id = post_id or new_id()

    def row(self, **changes: Any) -> Json:
        """A post of now; MISSING takes a field away."""
        whole = {
            "id": self.id,
            "create_at": self._now_ms,
            "update_at": self._now_ms,
            "edit_at": 0,
            "delete_at": 0,
            "is_pinned": False,
            "user_id": self._town.alice,
            "channel_id": self._channel_id,
            "root_id": "",
            "original_id": "",
            "message": "well",
            "type": "",
            "props": {},
            "metadata": {},
        }
        return _changed(whole, changes)

    def told(self, row: str, name: Any = "posted", **data: Any) -> str:
        """A frame around a row, without a number, so that it fits in anywhere."""
        whole = {
            "channel_display_name": "General",
            "channel_name": "general",
            "channel_type": "O",
            "post": row,
            "sender_name": "@alice",
            "team_id": self._town.team,
        }
        return self.frame(name, _changed(whole, data))

    def frame(self, name: Any, data: Any, **more: Any) -> str:
        broadcast = {"omit_users": None, "channel_id": self._channel_id}
        whole = {"event": name, "data": data, "broadcast": broadcast}
        return json.dumps(_changed(whole, more), ensure_ascii=False)

    def posted(self, **changes: Any) -> str:
        return self.told(json.dumps(self.row(**changes)))

    def with_text(self, field: str, text: str) -> str:
        """A row in which a field has a text that no writer of JSON would write."""
        return json.dumps(self.row(**{field: "HERE"})).replace('"HERE"', text)


def _changed(whole: Json, changes: Mapping[str, Any]) -> Json:
    whole |= changes
    return {name: value for name, value in whole.items() if value is not MISSING}


Make = Callable[[Writer], str]


def _with(**changes: Any) -> Make:
    return lambda writer: json.dumps(writer.row(**changes))


def _text(field: str, text: str) -> Make:
    return lambda writer: writer.with_text(field, text)


# Rows, as they stand in a frame or on a page, and what becomes of them there.
ROWS: Mapping[str, tuple[Make, Fate]] = {
    "nothing": (lambda writer: "null", "rejected"),
    "a number": (lambda writer: "7", "rejected"),
    "a list": (lambda writer: "[]", "rejected"),
    "a text": (lambda writer: '"post"', "rejected"),
    "empty": (lambda writer: "{}", "rejected"),
    "no id": (_with(id=MISSING), "rejected"),
    "an empty id": (_with(id=""), "rejected"),
    "an id of null": (_with(id=None), "rejected"),
    "an id that is a number": (_with(id=7), "rejected"),
    "an id that is a list": (_with(id=["x"]), "rejected"),
    "an id with a tab": (_with(id="a\tb"), "rejected"),
    "an id with a line break": (_with(id="a\nb"), "rejected"),
    "an id of COPY's null": (_with(id="\\N"), "rejected"),
    "an id of a megabyte": (_with(id="x" * MEGABYTE), "rejected"),
    "a root of a megabyte": (_with(root_id="x" * MEGABYTE), "rejected"),
    "no channel": (_with(channel_id=MISSING), "rejected"),
    "no user": (_with(user_id=None), "rejected"),
    "no message": (_with(message=MISSING), "rejected"),
    "a message of null": (_with(message=None), "rejected"),
    "a message that is a number": (_with(message=7), "rejected"),
    "a message that is a list": (_with(message=["x"]), "rejected"),
    "a type that is a number": (_with(type=7), "rejected"),
    "a type of a megabyte": (_with(type="x" * MEGABYTE), "rejected"),
    "a type with a tab": (_with(type="a\tb"), "rejected"),
    "no time": (_with(create_at=MISSING), "rejected"),
    "a time of null": (_with(create_at=None), "rejected"),
    "a time that is a text": (_with(create_at="now"), "rejected"),
    "a time with a fraction": (_with(create_at=1.5), "rejected"),
    "a time that is true": (_with(create_at=True), "rejected"),
    "a time below zero": (_with(create_at=-1), "rejected"),
    "a time of zero": (_with(create_at=0), "archived"),
    "a time of 2**63": (_with(create_at=2**63), "rejected"),
    "a time of 2**70": (_with(create_at=2**70), "rejected"),
    "a time of 1e400": (_text("create_at", "1e400"), "rejected"),
    "an edit of null": (_with(edit_at=None), "rejected"),
    "an edit below zero": (_with(edit_at=-1), "rejected"),
    "NUL in the message": (_with(message="a\0b"), "rejected"),
    "NUL in a key of the props": (_with(props={"a\0b": 1}), "rejected"),
    "NUL deep in the props": (_with(props={"a": [{"b": "\0"}]}), "rejected"),
    "a text that speaks of NUL": (_with(message="\\u0000"), "archived"),
    "half a surrogate pair": (_text("message", '"\\ud83d"'), "rejected"),
    "16383 emoji": (_with(message="🚀" * 16383), "archived"),
    "joined emoji": (_with(message=EMOJI * 5000), "archived"),
    "what COPY reads": (_with(message="\\.\n\\N\t\r\n\\"), "archived"),
    "every control": (_with(message="".join(map(chr, range(1, 160)))), "archived"),
    "props of 8000 runes": (_with(props={"a": "ü" * 7992}), "archived"),
    "props of null": (_with(props=None), "archived"),
    "props that are a list": (_with(props=[1]), "archived"),
    "props that are a text": (_with(props="x"), "archived"),
    "odd attachments": (
        _with(props={"attachments": [7, None, {"fields": 7, "text": ["x"]}]}),
        "archived",
    ),
    "attachments of 1e300": (
        _with(props={"attachments": [{"text": 1e300}]}),
        "archived",
    ),
    "a number of 2**70 in the props": (_with(props={"n": 2**70}), "archived"),
    "metadata of null": (_with(metadata=None), "archived"),
    "metadata that is a list": (_with(metadata=[1]), "archived"),
    "files that are a number": (_with(metadata={"files": 7}), "archived"),
    "files without names": (_with(metadata={"files": [{}, 7, None]}), "archived"),
    "a file whose name is a list": (
        _with(metadata={"files": [{"name": ["x"]}]}),
        "archived",
    ),
}


def _data(**data: Any) -> Make:
    return lambda writer: writer.told(json.dumps(writer.row()), **data)


def _posted(row: str) -> Make:
    return lambda writer: writer.told(row)


def _frame(name: Any, data: Any = None, **more: Any) -> Make:
    return lambda writer: writer.frame(name, data, **more)


# Frames, where it is not the row that is wrong.
FRAMES: Mapping[str, tuple[Make, Fate]] = {
    "an empty frame": (lambda writer: "", "rejected"),
    "half a frame": (lambda writer: '{"event": "posted", "da', "rejected"),
    "two of them": (lambda writer: '{"event": "a"} {"event": "b"}', "rejected"),
    "a list of frames": (lambda writer: '[{"event": "posted"}]', "rejected"),
    "a frame of null": (lambda writer: "null", "rejected"),
    "a frame of nothing": (lambda writer: "{}", "rejected"),
    "no Unicode": (lambda writer: '{"event": "\ud800"}', "rejected"),
    "a naked NUL": (lambda writer: '{"event": "\0"}', "rejected"),
    "NaN": (lambda writer: '{"event": NaN}', "rejected"),
    "a number of 1e400": (lambda writer: '{"event": 1e400}', "rejected"),
    "10 000 levels": (lambda writer: nested(DEEP), "rejected"),
    "levels never closed": (lambda writer: "[" * DEEP, "rejected"),
    "17 MB of nothing": (lambda writer: "x" * HUGE, "rejected"),
    "17 MB of message": (lambda writer: writer.posted(message="x" * HUGE), "archived"),
    "a name of null": (_frame(None), "rejected"),
    "a name that is a number": (_frame(7), "rejected"),
    "a name that is a list": (_frame(["posted"]), "rejected"),
    "an empty name": (_frame("", seq=1.5), "rejected"),
    "a name of a megabyte": (_frame("x" * MEGABYTE, seq="1"), "rejected"),
    "no number": (_frame("user_updated", {}), "rejected"),
    "a number of 2**70": (_frame("user_updated", {}, seq=2**70), "rejected"),
    "a number that is a text": (_frame("user_updated", {}, seq="7"), "rejected"),
    "data that is a text": (_frame("posted", "x"), "rejected"),
    "data that is a list": (_frame("posted", ["x"]), "rejected"),
    "data of null": (_frame("posted", None), "rejected"),
    "no post": (_data(post=MISSING), "rejected"),
    "a post of null": (_data(post=None), "rejected"),
    "a post that is an object": (_data(post={"id": "x"}), "rejected"),
    "a post that is no JSON": (_posted('{"id": "x"'), "rejected"),
    "a post of 10 000 levels": (_posted(nested(DEEP)), "rejected"),
    "a sender that is a number": (_data(sender_name=7), "rejected"),
    "a sender that is a list": (_data(sender_name=["@alice"]), "rejected"),
    "a channel's name that is a number": (_data(channel_name=7), "archived"),
    "a channel called by a number": (_data(channel_display_name=7), "rejected"),
    "a channel's type that is a list": (_data(channel_type=["O"]), "rejected"),
    "a channel's type that is a number": (_data(channel_type=7), "rejected"),
    "mentions that are a number": (_data(mentions=7), "archived"),
    "mentions that are no JSON": (_data(mentions='["x"'), "archived"),
    "mentions of 10 000 levels": (_data(mentions=nested(DEEP)), "archived"),
    "other data of 2**70": (_data(otherFile=2**70), "archived"),
    "a reaction of null": (
        _frame("reaction_added", {"reaction": "null"}),
        "rejected",
    ),
    "a reaction without anything": (
        _frame("reaction_added", {"reaction": "{}"}),
        "rejected",
    ),
    "a reaction to nothing": (
        _frame(
            "reaction_removed",
            {
                "reaction": '{"post_id":"","user_id":"u","emoji_name":"e",'
                '"create_at":1,"update_at":1}'
            },
        ),
        "rejected",
    ),
    "a removal of nobody": (_frame("user_removed", {"user_id": ["x"]}), "rejected"),
}
