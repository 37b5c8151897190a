"""The thread that a post is in, as far as the archive knows."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.storage.database import Database

_ROOT = """
SELECT coalesce(nullif(root_id, ''), id), channel_id FROM posts
WHERE id = %s AND delete_at = 0
"""


@dataclass(frozen=True, slots=True)
class Root:
    """The post that a thread began with, and where that is."""

    id: str
    channel_id: str


def find_root(database: Database, post_id: str) -> Root | None:
    """None: the post is not kept, or was deleted."""
    with database.transaction() as cursor:
        cursor.execute(_ROOT, (post_id,))
        found = cursor.fetchone()
    return Root(*found) if found else None
