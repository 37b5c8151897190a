"""How much was said, by whom, where and when: counted by PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from malexbot.storage.database import Database
from malexbot.storage.export import FOR_EVER, ONE_MOMENT, Share
from malexbot.storage.people import names

# Each zone's hours begin at one of these.
SLOT_MS = 900_000

_WANTED = """
(%(channel)s IS NULL OR channel_id = %(channel)s)
  AND (%(user)s IS NULL OR user_id = %(user)s)
  AND create_at >= %(since)s AND create_at < %(until)s
"""
_IS_SAID = "left(type, 7) <> 'system_'"
# Two simple counts, which its workers share: one of all at once would be slower.
_PAIRS = f"""
SELECT channel_id, user_id, count(*), count(*) FILTER (WHERE root_id <> ''),
  count(*) FILTER (WHERE edit_at > 0), count(*) FILTER (WHERE delete_at > 0),
  min(create_at), max(create_at), {_IS_SAID} AS is_said
FROM posts WHERE {_WANTED} GROUP BY channel_id, user_id, is_said
"""
_SLOTS = f"""
SELECT create_at / {SLOT_MS}, count(*) FROM posts
WHERE {_WANTED} AND {_IS_SAID} GROUP BY 1 ORDER BY 1
"""
_FILES = f"""
SELECT count(*), coalesce(sum(f.size), 0)::bigint,
  count(f.sha256), coalesce(sum(f.size) FILTER (WHERE f.sha256 IS NOT NULL), 0)::bigint
FROM files f JOIN posts ON posts.id = f.post_id WHERE {_WANTED}
"""
_CHANNELS = "SELECT channel_id, type, name, display_name FROM channels"


class Count(NamedTuple):
    """What was said by somebody, somewhere, or by all."""

    posts: int = 0
    replies: int = 0
    edited: int = 0
    deleted: int = 0
    first_at: int = FOR_EVER
    last_at: int = 0

    def __add__(self, other: tuple[object, ...]) -> Count:
        """Both together."""
        assert isinstance(other, Count)
        return Count(
            self.posts + other.posts,
            self.replies + other.replies,
            self.edited + other.edited,
            self.deleted + other.deleted,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
        )


class FileSums(NamedTuple):
    """What hangs on the posts, and how much of that is kept here."""

    files: int = 0
    bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0


@dataclass(slots=True)
class Stats:
    """What people said; what the server said of itself is only counted."""

    whole: Count = Count()
    channels: dict[str, Count] = field(default_factory=dict)
    people: dict[str, Count] = field(default_factory=dict)
    notices: int = 0
    files: FileSums = FileSums()
    slots: Sequence[tuple[int, int]] = ()
    """How many posts there are in each quarter of an hour since 1970 that has any."""
    names: Mapping[str, str] = field(default_factory=dict)
    shares: Sequence[Share] = ()
    """The channels by which there are posts, the largest first."""


def count(
    database: Database,
    *,
    channel_id: str | None = None,
    user_id: str | None = None,
    since: int = 0,
    until: int = FOR_EVER,
) -> Stats:
    """Everything about these posts, of one moment."""
    terms = {"channel": channel_id, "user": user_id, "since": since, "until": until}
    stats = Stats()
    with database.transaction(limit_s=0) as cursor:
        cursor.execute(ONE_MOMENT)
        cursor.execute(_PAIRS, terms)
        for channel, user, *numbers, is_said in cursor.fetchall():
            if is_said:
                _add(stats, channel, user, Count(*numbers))
            else:
                stats.notices += numbers[0]
        cursor.execute(_SLOTS, terms)
        stats.slots = cursor.fetchall()
        cursor.execute(_FILES, terms)
        stats.files = FileSums(*(cursor.fetchone() or ()))
        stats.names = names(cursor)
        cursor.execute(_CHANNELS)
        stats.shares = _shares(stats, {row[0]: row[1:] for row in cursor.fetchall()})
    return stats


def _add(stats: Stats, channel_id: str, user_id: str, count: Count) -> None:
    stats.whole += count
    stats.channels[channel_id] = stats.channels.get(channel_id, Count()) + count
    stats.people[user_id] = stats.people.get(user_id, Count()) + count


def _shares(stats: Stats, known: Mapping[str, tuple[str, str, str]]) -> Sequence[Share]:
    shares = (
        Share(id_, *known.get(id_, ("", "", "")), c.posts, c.first_at, c.last_at)
        for id_, c in stats.channels.items()
    )
    return sorted(shares, key=lambda share: (-share.posts, share.channel_id))
