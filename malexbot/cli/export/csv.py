"""csv: a post a line, for spreadsheets (RFC 4180)."""

from __future__ import annotations

import csv
from io import StringIO

from malexbot.cli.export.book import Book, exact, files, said
from malexbot.storage.export import Kept, Place

BOM = "\ufeff"
COLUMNS = (
    "time",
    "channel",
    "person",
    "message",
    "thread",
    "edited",
    "deleted",
    "reactions",
    "files",
    "id",
    "channel_id",
    "user_id",
    "link",
)
# With these a cell begins that a spreadsheet takes for something to compute.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Csv:
    """Times in UTC, names beside ids, `thread` is the id of the root.

    What people wrote never becomes a formula: where it begins like one, an apostrophe
    stands before it, which spreadsheets take for "this is text".
    """

    def __init__(self, book: Book, *, has_bom: bool = False) -> None:
        self._book = book
        self._has_bom = has_bom
        self._channels = {s.channel_id: book.channel(s) for s in book.shares}

    def head(self) -> str:
        return (BOM if self._has_bom else "") + line(*COLUMNS)

    def row(self, kept: Kept, before: Place | None) -> str:
        post, book = kept.post, self._book
        channel_id, post_id = post["channel_id"], post["id"]
        return line(
            exact(post["create_at"]),
            harmless(self._channels.get(channel_id, channel_id)),
            harmless(book.author(post)),
            harmless(said(post)),
            post["root_id"] or post_id,
            exact(post["edit_at"]) if post["edit_at"] else "",
            exact(post["delete_at"]) if post["delete_at"] else "",
            harmless(", ".join(f"{m.sign} {len(m.people)}" for m in book.marks(kept))),
            harmless(", ".join(file.name for file in files(post))),
            post_id,
            channel_id,
            post["user_id"],
            book.permalink(post_id),
        )

    def tail(self, before: Place | None) -> str:
        return ""


def harmless(text: str) -> str:
    """The same text, which no spreadsheet computes."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def line(*cells: str) -> str:
    sink = StringIO()
    csv.writer(sink).writerow(cells)
    return sink.getvalue()
