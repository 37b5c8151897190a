"""Single values of what VK tells: taken for what they should be, or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from malexbot.errors import MalexbotError

LONGEST_WORD = 200
LARGEST = 2**63

Json = Mapping[str, Any]


class Unreadable(MalexbotError):
    """What came in is no event; the message tells why."""


def read_payload(told: Any) -> Json:
    """A map, whichever way VK writes it; what is none stands under "value"."""
    if isinstance(told, str):
        try:
            told = orjson.loads(told)
        except ValueError:
            return {"value": told}
    if told is None:
        return {}
    return told if isinstance(told, dict) else {"value": told}


def has_nul(value: Any) -> bool:
    """No text of a database may hold one."""
    if isinstance(value, dict):
        return any(map(has_nul, value)) or any(map(has_nul, value.values()))
    if isinstance(value, list):
        return any(map(has_nul, value))
    return isinstance(value, str) and "\0" in value


def read_text(told: Any) -> str:
    if told is None:
        return ""
    if type(told) is not str:
        raise Unreadable("a text that is none")
    return told


def read_word(told: Any) -> str:
    if type(told) is not str or not 0 < len(told) <= LONGEST_WORD:
        raise Unreadable("a name that is none")
    if not told.isprintable() or ":" in told:
        raise Unreadable("a name that is none")
    return told


def read_number(told: Any) -> int:
    if type(told) is not int or not -LARGEST < told < LARGEST:
        raise Unreadable("an id that is none")
    return told


def read_moment(told: Any) -> int:
    """Milliseconds, of VK's seconds."""
    if not 0 < read_number(told) < LARGEST // 1000:
        raise Unreadable("a time that is none")
    return int(told) * 1000


def raw_of(update: Any) -> bytes:
    """As it came, as nearly as it can be written: it may be nested without end."""
    try:
        return orjson.dumps(update)
    except TypeError:
        pass
    try:
        return json.dumps(update).encode()
    except RecursionError:
        return b"an update that is nested too deep"
