"""An event as JSON, as a job keeps it: what is needed to run without the archive.

The frame it came in is left out; that is kept only for what cannot be archived. The
tuples are arrays, which is three times as fast as objects: so a field is only ever
added at their end, with a default, and then older jobs can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from malexbot.events import Button, Event, Message, Peer, Post, Reaction, Reply, User

VERSION = 1

_PEER, _USER, _RAW, _MESSAGE, _REACTION, _BUTTON, _POST = map(
    Event._fields.index,
    ("peer", "user", "raw", "message", "reaction", "button", "post"),
)
_REPLY, _FORWARD, _ATTACHMENTS = map(
    Message._fields.index, ("reply", "forward", "attachments")
)
_TEXTS = Post._fields.index("texts")


def to_json(event: Event) -> str:
    """Raises TypeError for what JSON cannot hold: lone surrogates, foreign types."""
    return orjson.dumps((VERSION, event._replace(raw=b"")), default=_plain).decode()


def _plain(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(part)
    return "" if part == b"" else dict(part)


def from_json(text: str) -> Event:
    """The event again, with an empty `raw`."""
    version, told = orjson.loads(text)
    if version != VERSION:
        raise ValueError(f"the job was written in version {version} of its form")
    told[_RAW] = b""
    told[_PEER] = Peer(*told[_PEER])
    told[_USER] = User(*told[_USER])
    for place, make in _PARTS:
        if told[place] is not None:
            told[place] = make(told[place])
    return Event(*told)


def _message(told: list[Any]) -> Message:
    if told[_REPLY] is not None:
        told[_REPLY] = Reply(*told[_REPLY])
    told[_FORWARD] = tuple(Reply(*each) for each in told[_FORWARD])
    told[_ATTACHMENTS] = tuple(told[_ATTACHMENTS])
    return Message(*told)


def _post(told: list[Any]) -> Post:
    told[_TEXTS] = tuple(told[_TEXTS])
    return Post(*told)


def _reaction(told: Sequence[Any]) -> Reaction:
    return Reaction(*told)


def _button(told: Sequence[Any]) -> Button:
    return Button(*told)


_PARTS = (
    (_MESSAGE, _message),
    (_REACTION, _reaction),
    (_BUTTON, _button),
    (_POST, _post),
)
