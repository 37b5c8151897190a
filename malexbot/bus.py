"""An event as JSON for others: on the bus, over HTTP, in a file.

Each has the number of the form it is in. Within a form keys are only ever added, so
readers leave alone what they do not know; a form that is read otherwise gets the next
number. What stays at home: the frame, the post as it came, and what would let others
answer a call in malexbot's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import orjson

from malexbot.events import Event, Post, plain

SCHEMA = 1

# What is nobody else's, and what stands for it when the event is read.
_KEPT: Mapping[type, Mapping[str, Any]] = {
    Event: {"raw": b"", "connection": 0},
    Post: {"raw": ""},
}
# By which a call is answered, and by which a button is known: who has it may do so.
_KEYS_OF_CALLS = frozenset({"ref", "trigger_id", "response_url", "cookie"})
_NEEDED = {int: "a number", str: "text", bool: "true or false", Mapping: "a map"}


class NoEvent(ValueError):
    """What was read is no event; says what is wrong, and where in it."""


def wire(event: Event) -> dict[str, Any]:
    """The event as plain values, with the number of their form."""
    told = plain(event._replace(raw=b"", post=None))
    if event.post is not None:
        told["post"] = plain(event.post)
        del told["post"]["raw"]
    del told["raw"], told["connection"]
    for key in _KEYS_OF_CALLS & told["data"].keys():
        del told["data"][key]
    return {"schema": SCHEMA, **told}


def encode(event: Event) -> bytes:
    """The event as JSON; raises TypeError for what JSON cannot hold."""
    return orjson.dumps(wire(event))


def decode(text: bytes | str) -> Event:
    """The event again, but for what stays at home; raises NoEvent."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NoEvent(f"this is no JSON: {error}") from None
    return read(told)


def read(told: Any) -> Event:
    """The event of plain values; raises NoEvent."""
    if not isinstance(told, Mapping) or "schema" not in told:
        raise NoEvent("needs a map with `schema`, the number of its form")
    schema = told["schema"]
    if schema != SCHEMA:
        raise NoEvent(f"it is in form {schema!r}; this malexbot reads {SCHEMA}")
    event = _value(Event, told, "")
    assert isinstance(event, Event)
    return event


def _value(hint: Any, told: Any, where: str) -> Any:
    """What is told, if it is of that type."""
    if hasattr(hint, "_fields"):
        return _fields(hint, told, where)
    kind, args = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return _one_of(args, told, where)
    if kind is Literal:
        if told in args:
            return told
        raise NoEvent(f"{where} needs one of {', '.join(args)}")
    if kind in _NEEDED:
        if isinstance(told, kind) and isinstance(told, bool) == (kind is bool):
            return told
        raise NoEvent(f"{where} needs {_NEEDED[kind]}")
    if not isinstance(told, list):
        raise NoEvent(f"{where} needs a list")
    return tuple(_value(args[0], part, f"{where}[{n}]") for n, part in enumerate(told))


def _one_of(kinds: tuple[Any, ...], told: Any, where: str) -> Any:
    """Of text and a number, or of something and nothing."""
    if told is None and NoneType in kinds:
        return None
    first = next(kind for kind in kinds if kind is not NoneType)
    is_text = isinstance(told, str) and str in kinds
    return _value(str if is_text else first, told, where)


def _fields(kind: Any, told: Any, where: str) -> Any:
    if not isinstance(told, Mapping):
        raise NoEvent(f"{where} needs a map")
    return kind(**dict(_told_fields(kind, told, where)))


def _told_fields(
    kind: Any, told: Mapping[str, Any], where: str
) -> Iterator[tuple[str, Any]]:
    """Each field that is told; one that has a default may be missing."""
    kept = _KEPT.get(kind, {})
    for name, hint in _hints(kind).items():
        place = f"{where}.{name}" if where else name
        if name in kept:
            yield name, kept[name]
        elif name in told:
            yield name, _value(hint, told[name], place)
        elif name not in kind._field_defaults:
            raise NoEvent(f"{place} is missing")


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind._fields}
