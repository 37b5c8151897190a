"""The archive as it is read out: every post with all that belongs to it, in an order.

The order is made of the rows' places on disk, which are small, and only a few rows
are in memory at a time: a million posts need no more than ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from malexbot.storage.database import Database
from malexbot.storage.files import KnownFile, read_files
from malexbot.storage.people import names
from malexbot.storage.session import Cursor

FOR_EVER = 2**63 - 1
# So many posts are in memory at a time.
FETCHED = 500

_COLUMNS = (
    "id",
    "create_at",
    "update_at",
    "edit_at",
    "delete_at",
    "user_id",
    "channel_id",
    "root_id",
    "type",
    "message",
)
# Whose places are sorted in memory is read sooner; the rest goes through the disk.
ONE_MOMENT = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL work_mem = '64MB'
"""
_WANTED = """
(%(channel)s IS NULL OR p.channel_id = %(channel)s)
  AND p.create_at >= %(since)s AND p.create_at < %(until)s
"""
_SHARES = f"""
SELECT t.channel_id, coalesce(c.type, ''), coalesce(c.name, ''),
  coalesce(c.display_name, ''), t.posts, t.first_at, t.last_at
FROM (
  SELECT channel_id, count(*) AS posts, min(create_at) AS first_at,
    max(create_at) AS last_at
  FROM posts p WHERE {_WANTED} GROUP BY channel_id
) t LEFT JOIN LATERAL (
  SELECT type, name, display_name FROM channels
  WHERE channels.channel_id = t.channel_id LIMIT 1
) c ON true
"""
# A thread whose root is not kept begins with the first reply that is.
_PLACES = f"""
SELECT p.ctid, p.channel_id,
  CASE WHEN p.root_id = '' THEN p.create_at ELSE coalesce(
    (SELECT r.create_at FROM posts r WHERE r.id = p.root_id),
    (SELECT min(s.create_at) FROM posts s
     WHERE s.root_id = p.root_id AND s.root_id <> '')
  ) END AS began_at,
  CASE WHEN p.root_id = '' THEN p.id ELSE p.root_id END AS thread_id,
  p.root_id <> '' AS is_reply, p.create_at, p.id
FROM posts p WHERE {_WANTED}
"""
_BY_TIME = """
DECLARE places NO SCROLL CURSOR FOR
SELECT p.ctid, p.channel_id, p.create_at, '', p.root_id <> '', p.create_at, p.id
FROM posts p WHERE {wanted} AND (p.create_at, p.id) > (%(create_at)s, %(id)s)
ORDER BY p.create_at, p.id
"""
_BY_THREAD = """
DECLARE places NO SCROLL CURSOR FOR SELECT * FROM ({places}) t
WHERE (began_at, thread_id, is_reply, create_at, id)
  > (%(began_at)s, %(thread_id)s, %(is_reply)s, %(create_at)s, %(id)s)
ORDER BY began_at, thread_id, is_reply, create_at, id
"""
_POSTS = f"SELECT {', '.join(_COLUMNS)}, raw FROM posts WHERE ctid = ANY(%s::tid[])"
_VERSIONS = """
SELECT post_id, edit_at, message FROM post_versions WHERE post_id = ANY(%s)
ORDER BY edit_at
"""
_REACTIONS = """
SELECT post_id, user_id, emoji, added_at, removed_at FROM reactions
WHERE post_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Share:
    """A channel, and how much of what is read out is its own."""

    channel_id: str
    type: str
    name: str
    display_name: str
    posts: int
    first_at: int
    last_at: int


class Place(NamedTuple):
    """Where a post stands in the order; enough to go on after it."""

    channel_id: str = ""
    began_at: int = -1
    """When its thread began."""
    thread_id: str = ""
    is_reply: bool = False
    create_at: int = -1
    id: str = ""


class Version(NamedTuple):
    """What a post said before an edit."""

    at: int
    message: str


class Reaction(NamedTuple):
    """An emoji that somebody has put on a post, and has not taken away since."""

    user_id: str
    emoji: str
    at: int


class Kept(NamedTuple):
    """A post with all that the archive knows of it."""

    place: Place
    post: Mapping[str, Any]
    """Under Mattermost's names: our columns, and what only the server's JSON tells."""
    versions: Sequence[Version] = ()
    reactions: Sequence[Reaction] = ()
    files: Sequence[KnownFile] = ()
    """Those of its versions too, in no order."""


class Snapshot:
    """One moment of the archive, for as long as its reading takes."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def shares(
        self, *, channel_id: str | None = None, since: int = 0, until: int = FOR_EVER
    ) -> list[Share]:
        """The channels with posts among these, in no order."""
        terms = {"channel": channel_id, "since": since, "until": until}
        self._cursor.execute(_SHARES, terms)
        return [Share(*row) for row in self._cursor.fetchall()]

    def people(self) -> dict[str, str]:
        """Everybody's name by their id."""
        return names(self._cursor)

    def by_time(
        self,
        *,
        channel_id: str | None = None,
        since: int = 0,
        until: int = FOR_EVER,
        after: Place | None = None,
    ) -> Iterator[Kept]:
        """The oldest first, the channels mixed as they were."""
        terms = {"channel": channel_id, "since": since, "until": until}
        query = _BY_TIME.format(wanted=_WANTED)
        yield from self._read(query, terms, after or Place())

    def by_thread(
        self,
        channel_id: str,
        *,
        since: int = 0,
        until: int = FOR_EVER,
        after: Place | None = None,
    ) -> Iterator[Kept]:
        """A channel, the oldest thread first, and replies after what they answer."""
        terms = {"channel": channel_id, "since": since, "until": until}
        query = _BY_THREAD.format(places=_PLACES)
        yield from self._read(query, terms, after or Place())

    def _read(
        self, query: str, terms: Mapping[str, Any], after: Place
    ) -> Iterator[Kept]:
        cursor = self._cursor
        cursor.execute(query, {**after._asdict(), **terms})
        while True:
            cursor.execute(f"FETCH {FETCHED} FROM places")
            rows = cursor.fetchall()
            yield from self._kept({row[0]: Place(*row[1:]) for row in rows})
            if len(rows) < FETCHED:
                break
        cursor.execute("CLOSE places")

    def _kept(self, places: Mapping[str, Place]) -> Iterator[Kept]:
        """The posts at these places on disk, in their order."""
        cursor, ids = self._cursor, [place.id for place in places.values()]
        cursor.execute(_POSTS, (list(places),))
        posts = {row[0]: row for row in cursor.fetchall()}
        versions = self._belonging(_VERSIONS, ids)
        reactions = self._belonging(_REACTIONS, ids)
        files = read_files(cursor, ids)
        for place in places.values():
            post, marked = _post(posts[place.id])
            told = versions.get(place.id, ())
            marks = reactions.get(place.id, ())
            yield Kept(
                place,
                post,
                [Version(at or place.create_at, text) for at, text in told],
                _reactions(marked, marks) if marked or marks else (),
                files.get(place.id, ()),
            )

    def _belonging(
        self, query: str, ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[Any, ...]]]:
        self._cursor.execute(query, (ids,))
        found: dict[str, list[tuple[Any, ...]]] = {}
        for post_id, *row in self._cursor.fetchall():
            found.setdefault(post_id, []).append(tuple(row))
        return found


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """The archive as it is now; others may go on writing."""
    with database.transaction(limit_s=0) as cursor:
        cursor.execute(ONE_MOMENT)
        yield Snapshot(cursor)


def _post(row: tuple[Any, ...]) -> tuple[dict[str, Any], Sequence[Any]]:
    """The columns are the truth; what only the server's JSON tells follows them.

    And the reactions in it: those from before we listened stand nowhere else.
    """
    *columns, raw = row
    told = dict(zip(_COLUMNS, columns, strict=True))
    post = told | {k: v for k, v in orjson.loads(raw).items() if k not in told}
    metadata = post.get("metadata")
    marked = metadata.get("reactions") if isinstance(metadata, dict) else None
    return post, marked if isinstance(marked, list) else ()


def _reactions(
    marked: Sequence[Any], heard: Sequence[tuple[Any, ...]]
) -> list[Reaction]:
    """What was heard is newer than what stood beside the post when it was read."""
    found = {}
    for mark in marked:
        if isinstance(mark, dict):
            who, emoji = str(mark.get("user_id")), str(mark.get("emoji_name"))
            found[who, emoji] = _number(mark.get("create_at"))
    for who, emoji, added_at, removed_at in heard:
        if added_at > removed_at:
            found[who, emoji] = added_at
        elif found.get((who, emoji), 0) <= removed_at:
            found.pop((who, emoji), None)
    marks = (Reaction(who, emoji, at) for (who, emoji), at in found.items())
    return sorted(marks, key=lambda mark: (mark.at, mark.emoji, mark.user_id))


def _number(value: Any) -> int:
    return value if type(value) is int else 0
