"""The newest of what is kept of one channel, each post with its whole life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from malexbot.storage.database import Database

# For eyes, not for an export.
MOST = 500

_MARK = "SELECT mark_at FROM channels WHERE channel_id = %s"
# One row more than is shown tells whether there are older ones.
_POSTS = f"""
SELECT id, user_id, root_id, type, message, create_at, edit_at, delete_at,
  ARRAY(
    SELECT message FROM post_versions v WHERE v.post_id = p.id ORDER BY v.edit_at
  ),
  ARRAY(
    SELECT emoji FROM reactions r
    WHERE r.post_id = p.id AND r.added_at > r.removed_at
    ORDER BY r.added_at, r.user_id, r.emoji
  )
FROM posts p WHERE channel_id = %s AND create_at >= %s
ORDER BY create_at DESC, id DESC LIMIT {MOST + 1}
"""


@dataclass(frozen=True, slots=True)
class KeptPost:
    """A row of the archive, deleted or not."""

    id: str
    user_id: str
    root_id: str
    type: str
    message: str
    create_at: int
    edit_at: int
    delete_at: int
    earlier: list[str]
    """What it said before, oldest first."""
    reactions: list[str]
    """An emoji for each one that was not taken back."""


@dataclass(frozen=True, slots=True)
class Recent:
    """One moment of a channel's archive."""

    mark_at: int | None
    """Up to here all that is wanted is kept; None: the channel is not known."""
    known_from: int
    """Of posts created before, some may be kept and not be among these."""
    posts: list[KeptPost]
    """The newest first."""


def recent(database: Database, channel_id: str, since: int) -> Recent:
    """What is kept of what was posted from `since` on; no more than MOST of it."""
    with database.transaction() as cursor:
        # The mark first: what it says is kept by then is among the posts.
        cursor.execute(_MARK, (channel_id,))
        mark: tuple[Any, ...] | None = cursor.fetchone()
        cursor.execute(_POSTS, (channel_id, since))
        posts = [KeptPost(*row) for row in cursor.fetchall()]
    known_from = posts[MOST - 1].create_at + 1 if len(posts) > MOST else since
    return Recent(mark[0] if mark else None, known_from, posts[:MOST])
