"""Deletes the content of files that nobody keeps any more, by the daemon or by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from malexbot.ports.files import FileWanted
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.session import Cursor

# So many are looked for at a time.
PIECE = 500

_RELEASED = """
SELECT sha256 FROM contents
WHERE place = %(place)s AND released_at IS NOT NULL AND sha256 > %(after)s
ORDER BY sha256 LIMIT %(piece)s
"""
_LOCK = """
SELECT FROM contents WHERE place = %(place)s AND sha256 = %(sha256)s
  AND released_at IS NOT NULL FOR UPDATE
"""
_IS_KEPT = "SELECT FROM files WHERE sha256 = %(sha256)s LIMIT 1"
_STAYS = """
UPDATE contents SET released_at = NULL
WHERE place = %(place)s AND sha256 = %(sha256)s
"""
_GOES = "DELETE FROM contents WHERE place = %(place)s AND sha256 = %(sha256)s"
_STRAYS = """
UPDATE contents SET released_at = clock_timestamp()
WHERE released_at IS NULL
  AND NOT EXISTS (SELECT FROM files WHERE files.sha256 = contents.sha256)
"""
_WANTED = """
SELECT f.post_id, f.id FROM unnest(%s::text[], %s::text[]) AS part (post_id, id)
JOIN files f USING (post_id, id) WHERE f.state IN ('waiting', 'fetching')
"""
_KNOWN = "SELECT sha256 FROM contents WHERE place = %s AND sha256 = ANY (%s)"


def clear(database: Database, contents: Contents) -> int:
    """What no file has any more is deleted; returns how many contents that were.

    Nothing is done where the folder is not to be seen: another machine may have it, or
    another user; the daemon does it there. Raises Unwritable.
    """
    place = contents.place
    if place is None:
        return 0
    cleared, after = 0, ""
    while True:
        with database.transaction() as cursor:
            terms = {"place": place, "after": after, "piece": PIECE}
            cursor.execute(_RELEASED, terms)
            found = [sha256 for (sha256,) in cursor.fetchall()]
        if not found:
            return cleared
        after = found[-1]
        for sha256 in found:
            with database.transaction() as cursor:
                cleared += _clear(cursor, contents, place, sha256)


def _clear(cursor: Cursor, contents: Contents, place: str, sha256: str) -> bool:
    """No: somebody needs it, or somebody else has cleared it away."""
    terms = {"place": place, "sha256": sha256}
    cursor.execute(_LOCK, terms)
    if cursor.rowcount == 0:
        return False
    cursor.execute(_IS_KEPT, terms)
    if cursor.rowcount:
        cursor.execute(_STAYS, terms)
        return False
    contents.drop(sha256)
    cursor.execute(_GOES, terms)
    return True


def release_strays(database: Database) -> None:
    """Look once more at each content: what no file has is cleared away next."""
    with database.transaction(limit_s=0) as cursor:
        cursor.execute(_STRAYS)


def clear_parts(database: Database, contents: Contents) -> int:
    """The beginnings of files that nobody waits for; returns how many there were."""
    return sum(
        _clear_parts(database, contents, piece)
        for piece in _pieces(list(contents.parts()))
    )


def _clear_parts(
    database: Database, contents: Contents, parts: Sequence[FileWanted]
) -> int:
    columns = [part.post_id for part in parts], [part.id for part in parts]
    with database.transaction() as cursor:
        cursor.execute(_WANTED, columns)
        wanted = {FileWanted(post, id_, 0) for post, id_ in cursor.fetchall()}
    unwanted = [part for part in parts if part not in wanted]
    for part in unwanted:
        contents.drop_part(part)
    return len(unwanted)


def clear_strangers(database: Database, contents: Contents) -> int:
    """Contents of which the database knows nothing: it was another one, or an older.

    A row is there before its content: so none is deleted that is just being kept.
    """
    place = contents.place
    if place is None:
        return 0
    cleared = 0
    for piece in _pieces(list(contents)):
        with database.transaction() as cursor:
            cursor.execute(_KNOWN, (place, list(piece)))
            known = {sha256 for (sha256,) in cursor.fetchall()}
        for sha256 in set(piece) - known:
            contents.drop(sha256)
            cleared += 1
    return cleared


def _pieces(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(found), PIECE):
        yield found[start : start + PIECE]
