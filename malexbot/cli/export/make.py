"""Makes an export: decides what is in it, and writes it to a file or a pipe."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from malexbot.cli.export.book import Book, Format
from malexbot.cli.export.part import Plan
from malexbot.cli.export.rows import Rows
from malexbot.cli.export.watch import TOLD_EVERY, Watch
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.export import FOR_EVER, Place, snapshot

BY_THREAD = ("md", "html")

Piece = tuple[str, Place | None]


class Export:
    """What was asked for, on one database."""

    def __init__(
        self,
        database: Database,
        words: Mapping[str, Any],
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        self._database = database
        self.words = words
        self._since = since or 0
        self._until = FOR_EVER if until is None else until

    def plan(self) -> Plan:
        """What the archive holds of it now; what comes later is not in it."""
        with snapshot(self._database) as archive:
            shares = archive.shares(
                channel_id=self.words["channel_id"],
                since=self._since,
                until=self._until,
            )
            book = Book(shares, archive.people())
        ends = [share.last_at + 1 for share in shares]
        return Plan(
            words=self.words,
            began_ms=round(time.time() * 1000),
            since=self._since,
            until=min(self._until, max(ends, default=0)),
            shares=tuple(
                sorted(shares, key=lambda s: (book.channel(s).casefold(), s.channel_id))
            ),
        )

    def book(self, plan: Plan) -> Book:
        with snapshot(self._database) as archive:
            people = archive.people()
        kept_in = self.words["kept_in"]
        contents = Contents(Path(kept_in)) if kept_in else None
        return Book(plan.shares, people, self.words["server"], contents)

    def pieces(
        self, plan: Plan, after: Place | None, watch: Watch, done: int = 0
    ) -> Generator[Piece, None, None]:
        """The text, each post with its place; what stands before `after` is there."""
        form, place = self._format(self.book(plan)), after
        if after is None:
            yield form.head(), None
        is_by_thread = self.words["format"] in BY_THREAD
        rows = Rows(self._database, plan, is_by_thread=is_by_thread, waits=watch.waits)
        with closing(rows.after(after)) as found:
            for count, kept in enumerate(found, done + 1):
                yield form.row(kept, place), kept.place
                place = kept.place
                if count % TOLD_EVERY == 0:
                    watch.far(count)
        yield form.tail(place), None

    def _format(self, book: Book) -> Format:
        """Each is imported when it is wanted."""
        name = self.words["format"]
        if name == "csv":
            from malexbot.cli.export.csv import Csv

            return Csv(book, has_bom=self.words["bom"])
        if name == "md":
            from malexbot.cli.export.markdown import Markdown

            return Markdown(book)
        if name == "html":
            from malexbot.cli.export.html import Html

            return Html(book)
        from malexbot.cli.export.jsonl import Jsonl

        return Jsonl(book)
