"""What is known of the files that hang on kept posts, and what becomes of them.

A content is deleted once no file has it any more. Whoever keeps a file locks first its
row, then that of its content; who deletes a content locks that one too: so nobody
takes away what somebody else has just kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from malexbot.ports.files import FileState, FileWanted
from malexbot.storage.contents import Contents, PartFile
from malexbot.storage.database import Database
from malexbot.storage.readable import readable
from malexbot.storage.session import Cursor

# An id of a file may be part of a name on the disk.
_LONGEST_ID = 64
_MOST_BYTES = 2**63
# Of the reason why a file is not kept.
MOST_SIGNS = 500

# The latest of a post tells what hangs on it; a file that an edit took away stays.
_WITH_FILES = """
SELECT id, create_at, raw FROM posts
WHERE id = ANY (%s) AND raw LIKE '%%"files":%%' FOR KEY SHARE
"""
_NOTE = """
INSERT INTO files (post_id, id, size, due_at)
SELECT post_id, id, size, to_timestamp(at_s)
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::float8[])
  AS told (post_id, id, size, at_s)
ON CONFLICT DO NOTHING
"""
_IS_WANTED = """
SELECT FROM files
WHERE post_id = %(post_id)s AND id = %(id)s AND state IN ('waiting', 'fetching')
"""
# As if it were of no use: whoever dies now leaves a note of what he leaves.
_ANNOUNCE = """
INSERT INTO contents (sha256, place, size)
VALUES (%(sha256)s, %(place)s, %(size)s) ON CONFLICT DO NOTHING
"""
_CLAIM = """
UPDATE contents SET released_at = NULL, size = %(size)s
WHERE sha256 = %(sha256)s AND place = %(place)s
"""
_KEEP = """
UPDATE files
SET state = 'kept', sha256 = %(sha256)s, size = %(size)s, reason = '', job_id = NULL
WHERE post_id = %(post_id)s AND id = %(id)s
"""
# Another machine may keep it: that stays true whatever the server says.
_GIVE_UP = """
UPDATE files SET state = CASE WHEN sha256 IS NULL THEN %(state)s ELSE 'kept' END,
  reason = %(reason)s, tries = tries + 1, job_id = NULL,
  due_at = clock_timestamp() + interval '1 day'
WHERE post_id = %(post_id)s AND id = %(id)s AND state = 'fetching'
"""
# After 10 minutes, 20, 40, …, a day.
_PUT_OFF = """
UPDATE files SET state = 'waiting', reason = %(reason)s, tries = tries + 1,
  size = coalesce(%(size)s, size), job_id = NULL, due_at = clock_timestamp()
    + least(10 * 2 ^ least(tries, 8), 1440) * interval '1 minute'
WHERE post_id = %(post_id)s AND id = %(id)s AND state = 'fetching'
"""
_OF_POSTS = """
SELECT post_id, id, state, sha256, size FROM files WHERE post_id = ANY (%s) ORDER BY id
"""
_COUNT = """
SELECT CASE WHEN state IN ('waiting', 'closed') AND size > %s
  THEN 'too large' ELSE state END, count(*)
FROM files GROUP BY 1
"""
# Machines that take turns may each have it.
_BYTES = """
SELECT coalesce(sum(size), 0)::bigint
FROM (SELECT max(size) AS size FROM contents GROUP BY sha256) c
"""
_UNFILED = "SELECT EXISTS (SELECT FROM unfiled)"


class KnownFile(NamedTuple):
    """What the archive knows of a file."""

    id: str
    state: str
    sha256: str | None
    """Of its content, if that is kept."""
    size: int


@dataclass(frozen=True, slots=True)
class FileCounts:
    """How many files there are, and how much of them is kept."""

    states: Mapping[str, int] = field(default_factory=dict)
    """By their state; "too large" are those that the settings leave out."""
    bytes: int = 0
    """What is kept takes so many on a disk, each content once."""
    is_whole: bool = True
    """No: posts of before are not all looked through yet."""


def count_files(database: Database, *, largest: int) -> FileCounts:
    with database.transaction() as cursor:
        cursor.execute(_COUNT, (largest,))
        states = dict(cursor.fetchall())
        cursor.execute(_BYTES)
        (size,) = cursor.fetchone() or (0,)
        cursor.execute(_UNFILED)
        is_whole = cursor.fetchone() == (False,)
    return FileCounts(states, size, is_whole)


def read_files(cursor: Cursor, post_ids: Sequence[str]) -> dict[str, list[KnownFile]]:
    """What is known of the files of these posts, by post."""
    cursor.execute(_OF_POSTS, (list(post_ids),))
    found: dict[str, list[KnownFile]] = {}
    for post_id, *row in cursor.fetchall():
        found.setdefault(post_id, []).append(KnownFile(*row))
    return found


def note_files(cursor: Cursor, post_ids: Sequence[str]) -> int:
    """Note the files of these posts; returns how many are new."""
    cursor.execute(_WITH_FILES, (list(post_ids),))
    now_s = time.time()
    found = [
        (post_id, id_, size, min(create_at / 1000, now_s))
        for post_id, create_at, raw in cursor.fetchall()
        for id_, size in _told(raw)
    ]
    if not found:
        return 0
    cursor.execute(_NOTE, tuple(map(list, zip(*found, strict=True))))
    return cursor.rowcount


def _told(raw: str) -> Iterator[tuple[str, int]]:
    """The ids and sizes of the files that a post tells of."""
    try:
        files = orjson.loads(raw)["metadata"]["files"]
    except (ValueError, LookupError, TypeError):
        return
    for file in files if isinstance(files, list) else ():
        id_ = file.get("id") if isinstance(file, dict) else None
        if isinstance(id_, str) and _is_id(id_):
            size = file.get("size")
            is_size = type(size) is int and 0 <= size < _MOST_BYTES
            yield id_, size if is_size else 0


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isalnum()


class DatabaseFiles:
    """Implements ports.files.FileArchive."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    @contextmanager
    def part(self, file: FileWanted) -> Iterator[PartFile | None]:
        """Who clears what nobody wants looks at the rows first, then at the parts.

        Here it is the other way round: so no part that is begun now is overlooked.
        """
        with self._contents.part(file) as part:
            if self._is_wanted(file):
                yield part
                return
            self._contents.drop_part(file)
        yield None

    def keep(self, file: FileWanted, *, epoch: int) -> bool:
        sha256, size = self._contents.digest(file)
        place = self._contents.place
        terms = {**file._asdict(), "sha256": sha256, "size": size, "place": place}
        while True:
            with self._database.fenced_transaction(epoch) as cursor:
                cursor.execute(_ANNOUNCE, terms)
            with self._database.fenced_transaction(epoch) as cursor:
                cursor.execute(f"{_IS_WANTED} FOR UPDATE", terms)
                if cursor.rowcount == 0:
                    break
                cursor.execute(_CLAIM, terms)
                if cursor.rowcount == 0:
                    # Somebody has cleared it away meanwhile.
                    continue
                self._contents.take(file, sha256)
                cursor.execute(_KEEP, terms)
                return True
        self._contents.drop_part(file)
        return False

    def give_up(
        self, file: FileWanted, state: FileState, reason: str, *, epoch: int
    ) -> None:
        terms = {"state": state, "reason": _shown(reason)}
        self._do(_GIVE_UP, file, epoch, terms)
        self._contents.drop_part(file)

    def put_off(
        self, file: FileWanted, reason: str, *, epoch: int, size: int | None = None
    ) -> None:
        self._do(_PUT_OFF, file, epoch, {"size": size, "reason": _shown(reason)})
        if size is not None:
            self._contents.drop_part(file)

    def _is_wanted(self, file: FileWanted) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(_IS_WANTED, file._asdict())
            return cursor.rowcount > 0

    def _do(
        self, statement: str, file: FileWanted, epoch: int, more: Mapping[str, Any]
    ) -> None:
        with self._database.fenced_transaction(epoch) as cursor:
            cursor.execute(statement, {**file._asdict(), **more})


def _shown(reason: str) -> str:
    """Of what a server says, as much as a person reads."""
    return readable(reason)[:MOST_SIGNS]
