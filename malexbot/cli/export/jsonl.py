"""jsonl: a post a line, under Mattermost's names, for programs."""

from __future__ import annotations

import orjson

from malexbot.cli.export.book import Book
from malexbot.storage.export import Kept, Place
from malexbot.storage.files import KnownFile


class Jsonl:
    """Everything that is kept; the names of people and channels stand beside the ids.

    A post is the server's own JSON with the archive's columns before it; added are
    `channel_name`, `user_name`, `versions` (what it said before each edit),
    `reactions` (those of now) and `files` (what became of each, and where it lies).
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._channels = {s.channel_id: book.channel(s) for s in book.shares}

    def head(self) -> str:
        return ""

    def row(self, kept: Kept, before: Place | None) -> str:
        post = kept.post
        channel_id = post["channel_id"]
        told = {
            **post,
            "channel_name": self._channels.get(channel_id, channel_id),
            "user_name": self._book.people.get(post["user_id"], ""),
            "versions": [{"at": v.at, "message": v.message} for v in kept.versions],
            "reactions": [
                {"user_id": r.user_id, "emoji_name": r.emoji, "create_at": r.at}
                for r in kept.reactions
            ],
            "files": [self._file(file) for file in kept.files],
        }
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE).decode()

    def _file(self, file: KnownFile) -> dict[str, object]:
        path = self._book.kept_at(file)
        return {**file._asdict(), "path": str(path) if path else None}

    def tail(self, before: Place | None) -> str:
        return ""
