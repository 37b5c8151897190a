"""Plain values on their way into PostgreSQL: rows of a statement, as one JSON."""

from __future__ import annotations

import orjson

from malexbot.errors import Unstorable


def to_json(value: object) -> str:
    """Raises Unstorable for what a handler gave that is no text, or no JSON."""
    try:
        return orjson.dumps(value, default=dict).decode()
    except TypeError as error:
        raise Unstorable(f"cannot be kept as JSON: {error}") from error
