"""An answer of the long poll that is none: what can be read of it, and the way past it.

VK tells the same again to who asks for the same. So one update that nobody can read
would hide all that come after it for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

from malexbot.messengers.vk.failures import Busy

CALL = "long poll"
# So many updates in a row may be garbled: VK is asked behind each of them.
MOST_STEPS = 20
# Half a character: json reads it, nobody can write it.
_BROKEN = ("utf-16", "surrogatepass")
_UPDATES = re.compile(r'"updates"\s*:\s*\[\s*')
_BETWEEN = re.compile(r"[\s,]*")
Poll = Callable[[int], object]
# What VK's own writer may let through: bytes and signs that have no place in JSON.
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda name: None)


class Garbled(Busy):
    """An answer that is no object of JSON."""

    def __init__(self, content: bytes) -> None:
        super().__init__(CALL, "an answer that is no JSON")
        self.content = content


def parsed(content: bytes) -> dict[str, Any]:
    """The object; of half a character, as texts that were cut have it, none is left."""
    try:
        told = orjson.loads(content)
    except ValueError:
        told = _lenient(content)
    if not isinstance(told, dict):
        raise Garbled(content)
    return told


def _lenient(content: bytes) -> Any:
    try:
        return _whole(_DECODER.decode(content.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        raise Garbled(content) from None


def _whole(told: Any) -> Any:
    text = json.dumps(told, ensure_ascii=False)
    return orjson.loads(text.encode(*_BROKEN).decode("utf-16", "replace"))


def beginning(content: bytes) -> list[Any]:
    """The updates that stand before what cannot be read."""
    text, updates = content.decode("utf-8", "replace"), []
    found = _UPDATES.search(text)
    while found:
        try:
            update, end = _DECODER.raw_decode(text, found.end())
            updates.append(_whole(update))
        except (ValueError, RecursionError):
            break
        found = _BETWEEN.match(text, end)
    return updates


class Detour:
    """The way past what stays garbled: behind its first update, no further.

    It is taken when it was found twice in a row: what garbles all answers for a while,
    as a proxy does, hides nothing.
    """

    def __init__(self) -> None:
        self._found: tuple[int, int] | None = None

    def find(self, ts: int, head: int, poll: Poll) -> int | None:
        """The ts behind it; None: there is no way, or it was not there before.

        `poll` asks for what VK tells from a ts on.
        """
        before, self._found = self._found, _look(ts, head, poll)
        return self._found[1] if self._found and self._found == before else None


def _look(ts: int, head: int, poll: Poll) -> tuple[int, int] | None:
    if ts >= head or not _is_sound(poll, head):
        return None
    steps = range(ts + 1, min(head, ts + MOST_STEPS) + 1)
    behind = next((step for step in steps if _is_sound(poll, step)), None)
    return None if behind is None else (ts, behind)


def _is_sound(poll: Poll, ts: int) -> bool:
    """Yes: what comes first there can be read."""
    try:
        poll(ts)
    except Garbled as error:
        return bool(beginning(error.content))
    return True
