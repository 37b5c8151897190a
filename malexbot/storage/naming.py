"""How an id is found in what nobody can read as an event: a text, a value, a frame."""

from __future__ import annotations

import re

# VK's ids are numbers. One of fewer digits may be anything: a count, a price, a year.
TELLING_DIGITS = 5


def naming(user_id: str) -> str:
    """The pattern of a text that has it, for Python and PostgreSQL alike.

    A number is part of others, so no digit may stand beside it.
    """
    if user_id.isdecimal():
        return rf"(?<![0-9]){user_id}(?![0-9])"
    return re.escape(user_id)


def is_telling(user_id: str) -> bool:
    """No: it is found in many a text that has nothing to do with that person."""
    return not user_id.isdecimal() or len(user_id) >= TELLING_DIGITS
