"""A value that a plugin keeps, without what in it is of one person."""

from __future__ import annotations

import re
from typing import Any

from malexbot.storage.naming import naming

_GONE = object()


def unnamed(value: Any, user_id: str) -> Any:
    """What is left of it; None: all of it is theirs.

    Nobody knows what a plugin means. Theirs is what names them: a text, all that
    stands beside such a text in an object, and what an object has under their id.
    """
    fresh = _without(value, re.compile(naming(user_id)))
    return None if fresh is _GONE else fresh


def _without(value: Any, named: re.Pattern[str]) -> Any:
    if isinstance(value, list):
        return [
            fresh for each in value if (fresh := _without(each, named)) is not _GONE
        ]
    if isinstance(value, dict):
        if any(_names(each, named) for each in value.values()):
            return _GONE
        return {
            key: fresh
            for key, each in value.items()
            if not _names(key, named) and (fresh := _without(each, named)) is not _GONE
        }
    return _GONE if _names(value, named) else value


def _names(value: Any, named: re.Pattern[str]) -> bool:
    if isinstance(value, str):
        return named.search(value) is not None
    return isinstance(value, int) and named.fullmatch(str(value)) is not None
