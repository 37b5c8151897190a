"""What a post is found by: its text, and the plain words that are in it."""

from __future__ import annotations

import unicodedata
from typing import Any

import orjson

from malexbot.events import texts

# What an attachment holds beyond that is no text to be read.
MOST_SIGNS = 100_000
# What is written in two ways, and read as one.
_ALIKE = {"ё": "е"}
_BLANK = " "


class _Plain(dict[int, str]):
    """Each sign as plain words have it; filled as signs are met."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        # Some have a small form of two signs: its first one keeps the length.
        is_plain = sign.isalpha() or sign.isdecimal()
        small = sign.lower()[0] if is_plain else _BLANK
        self[code] = plain_sign = _ALIKE.get(small, small)
        return plain_sign


_PLAIN = _Plain()


def plain(text: str) -> str:
    """The words in small letters, and a blank for all that is between them.

    It is as long as the text, so a place in the one is a place in the other. The
    server's own parser would take `a.b/c` for an address, which nobody finds by `b`;
    and small letters would depend on its locale.
    """
    return text.translate(_PLAIN)


def said(message: str, raw: str | None) -> str:
    """All that a post says: its message, its attachments, the names of its files.

    `raw` is its JSON, where that may tell more than the message.
    """
    parts = (message, *_beside(raw)) if raw else (message,)
    return unicodedata.normalize("NFC", "\n".join(parts))[:MOST_SIGNS]


def _beside(raw: str) -> tuple[str, ...]:
    """Nothing, where it is no JSON of a post: then the message has to do."""
    try:
        told: Any = orjson.loads(raw)
        return tuple(texts(told.get("props"), told.get("metadata")))
    except (ValueError, AttributeError):
        return ()
