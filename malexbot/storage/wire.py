"""An event as JSON, as a job keeps it: what is needed to run without the archive.

The frame it came in is left out; that is kept only for what cannot be archived. The
tuples are arrays, which is three times as fast as objects: so a field is only ever
added at their end, with a default, and then older jobs can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

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

VERSION = 1

_PEER, _USER, _RAW, _MESSAGE, _POST = map(
    Event._fields.index, ("peer", "user", "raw", "message", "post")
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
        if len(told) > place and told[place] is not None:
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


def _flat(kind: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    """A tuple with nothing in it that is a tuple of ours itself."""
    return lambda told: kind(*told)


_FLAT = {"reaction": Reaction, "button": Button, "command": Command, "form": Form}
_PARTS = (
    (_MESSAGE, _message),
    (_POST, _post),
    *((Event._fields.index(name), _flat(kind)) for name, kind in _FLAT.items()),
)
