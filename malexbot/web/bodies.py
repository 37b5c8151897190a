"""What a body may be before anybody tries to understand it."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import orjson

from malexbot.web.refusals import Refused

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# Mattermost sends 11 and two for each mention; its deepest JSON has 8 levels.
MOST_FIELDS = 1000
MOST_LEVELS = 64


def check(body: bytes, *, kind: str, coding: str, kinds: Collection[str]) -> None:
    """Raises Refused; `kind` is its Content-Type alone, no `kinds` means any."""
    if not body:
        return
    if coding not in ("", "identity") or (kinds and kind not in kinds):
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        raise Refused(status, "that kind of body is not taken here")
    if kind == FORM and body.count(b"&") >= MOST_FIELDS:
        raise Refused(HTTPStatus.BAD_REQUEST, "the form has too many fields")
    if kind == JSON or kind.endswith("+json"):
        _check_json(body)


def _check_json(body: bytes) -> None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON") from None
    if isinstance(found, (dict, list)) and not is_shallow(found, MOST_LEVELS):
        raise Refused(HTTPStatus.BAD_REQUEST, "the body has too many levels")


def is_shallow(found: dict[str, Any] | list[Any], levels: int) -> bool:
    """Yes: whoever walks it by recursion comes back."""
    level: list[Any] = [found]
    for _ in range(levels):
        level = [inner for outer in level for inner in _boxes_in(outer)]
        if not level:
            return True
    return False


def _boxes_in(outer: Any) -> list[Any]:
    inside = outer.values() if isinstance(outer, dict) else outer
    return [inner for inner in inside if isinstance(inner, (dict, list))]
