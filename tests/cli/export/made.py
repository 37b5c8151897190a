"""Posts and books, short to write in a test."""

from __future__ import annotations

from typing import Any

from malexbot.cli.export.book import Book
from malexbot.storage.export import Kept, Place, Reaction, Share, Version

NOON = 1_763_640_000_000  # 2025-11-20 12:00 UTC
MINUTE = 60_000
TOWN = Share("c1", "O", "town", "Town Square", 2, NOON, NOON + MINUTE)
GARDEN = Share("c2", "O", "garden", "Сад", 1, NOON, NOON)
BOOK = Book([TOWN, GARDEN], {"u1": "alice", "u2": "bob"}, "https://chat.example.org")


def kept(
    message: str = "hello",
    *,
    id: str = "p1",
    root_id: str = "",
    at: int = NOON,
    versions: list[Version] | None = None,
    reactions: list[Reaction] | None = None,
    **other: Any,
) -> Kept:
    post = {
        "id": id,
        "create_at": at,
        "update_at": at,
        "edit_at": 0,
        "delete_at": 0,
        "user_id": "u1",
        "channel_id": "c1",
        "root_id": root_id,
        "type": "",
        "message": message,
        **other,
    }
    began_at = NOON if root_id else at
    place = Place(post["channel_id"], began_at, root_id or id, bool(root_id), at, id)
    return Kept(place, post, versions or (), reactions or ())
