"""How the server reads the JSON of integrations, and what it complains of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from malexbot.sandbox.model import Json

_NAMES = {str: "string", bool: "bool", dict: "object", list: "array"}


class NotJson(Exception):
    """It cannot be read: why, in the words of Go, and where (line, character)."""

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def humanized(self) -> str:
        """With the place of it."""
        line, character = self.args[1:] or (1, 1)
        return f"parsing error at line {line}, character {character}: {self}"


def read(body: bytes, shape: Mapping[str, type]) -> Json:
    """The fields of an object that are known and not null; each has to fit."""
    parsed = _parsed(body.decode(errors="replace"))
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise NotJson(f"json: cannot unmarshal {_kind(parsed)} into Go value")
    given = {k: v for k, v in parsed.items() if k in shape and v is not None}
    for name, value in given.items():
        if not isinstance(value, shape[name]):
            wanted = _NAMES.get(shape[name], "number")
            raise NotJson(
                f"json: cannot unmarshal {_kind(value)} into Go struct field"
                f" .{name} of type {wanted}"
            )
    return given


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise NotJson("exceeded max depth") from error
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()):
            reason = "unexpected end of JSON input"
            raise NotJson(reason, error.lineno, error.colno) from error
        place = "value"
        if error.msg.startswith("Expecting property name"):
            place = "object key string"
        reason = (
            f"invalid character {text[error.pos]!r} looking for beginning of {place}"
        )
        raise NotJson(reason, error.lineno, error.colno + 1) from error


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return _NAMES.get(type(value), "number")
