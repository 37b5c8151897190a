"""Makes posts findable: behind the stream that brings them, a piece at a time.

The journal notes what it wrote, edited or deleted; here the index is made to say of
those posts what the archive says of them now. So it does not matter in which order
that happens, how often, or where it was cut off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from malexbot.errors import Transient
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database
from malexbot.storage.files import note_files
from malexbot.storage.session import Cursor
from malexbot.storage.words import plain, said

log = logging.getLogger(__name__)

# How soon what was said can be found by the index; until then it is looked through.
TURN_S = 1.0
# While more than this is written in a turn, the stream has the machine for itself;
# not for ever.
BUSY = 1000
PATIENCE_TURNS = 30
# A command may write too, of which nobody tells the daemon.
IDLE_TURNS = 60

# Each transaction takes about so many posts: some tenths of a second.
PIECE = 2000
# The newest first: they are looked for most. As many as have so many posts; a batch of
# one post leaves a note of its own.
_NOTES = """
SELECT number, post_ids, after_channel, after_at, after_id FROM (
  SELECT *, coalesce(sum(posts) OVER (
    ORDER BY number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), 0) AS posts_before
  FROM (SELECT * FROM unindexed ORDER BY number DESC LIMIT %(posts)s) u
) n
WHERE posts_before < %(posts)s ORDER BY number DESC
"""
# In the order of an index, and about in that of time: what is searched newest first
# then lies together.
_HISTORY = """
SELECT channel_id, create_at, id FROM posts
WHERE (channel_id, create_at, id) > (%s, %s, %s)
ORDER BY channel_id, create_at, id LIMIT %s
"""
_WENT_ON = """
UPDATE unindexed SET (after_channel, after_at, after_id) = (%s, %s, %s)
WHERE number = %s
"""
_DONE = "DELETE FROM unindexed WHERE number = ANY (%s)"
# Posts of the server itself, who came and who left, are not looked for. Only what
# has more to tell than its message is parsed.
_TEXTS = r"""
SELECT id, message,
  CASE WHEN raw LIKE '%%"attachments":%%' OR raw LIKE '%%"files":%%' THEN raw END
FROM posts WHERE id = ANY (%(ids)s) AND type NOT LIKE 'system\_%%'
"""
_FORGET = """
DELETE FROM post_words
WHERE post_id = ANY (%(ids)s) AND post_id <> ALL (%(found)s::text[])
"""
_WRITE = """
INSERT INTO post_words AS w (post_id, create_at, words)
SELECT p.id, p.create_at,
  found_by(told.plain, p.channel_id, p.user_id, p.delete_at > 0)
FROM unnest(%(found)s::text[], %(plain)s::text[]) AS told (id, plain)
JOIN posts p ON p.id = told.id
ON CONFLICT (post_id) DO UPDATE
SET create_at = excluded.create_at, words = excluded.words
WHERE (w.create_at, w.words) IS DISTINCT FROM (excluded.create_at, excluded.words)
"""
# What is lost of it with the server's machine is lost with the note that it is done.
_SOFT = "SET LOCAL synchronous_commit TO off"
_LAG = """
SELECT coalesce(sum(coalesce(
    posts, (SELECT count(*) FROM posts p
      WHERE (p.channel_id, p.create_at, p.id) > (after_channel, after_at, after_id))
  )), 0),
  coalesce(extract(epoch FROM clock_timestamp() - min(noted_at)), 0)
FROM unindexed
"""


class Note(NamedTuple):
    """What a batch has written, or all of the archive."""

    number: int
    post_ids: Sequence[str] | None
    after: Sequence[str | int]
    """Of all of it: the channel, time and id up to which it is done."""


def read_notes(cursor: Cursor, posts: int) -> Sequence[Note]:
    """The newest notes, with about so many posts."""
    cursor.execute(_NOTES, {"posts": posts})
    return [Note(number, ids, after) for number, ids, *after in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the index is behind the archive."""

    posts: int
    seconds: float
    """Since when the oldest of them waits."""


def find_lag(database: Database) -> Lag:
    with database.transaction() as cursor:
        cursor.execute(_LAG)
        posts, seconds = cursor.fetchone() or (0, 0)
    return Lag(int(posts), float(seconds))


class Indexing:
    """A service that indexes each second what is new; it costs nothing when idle."""

    name = "indexing"
    is_vital = False

    def __init__(
        self,
        database: Database,
        *,
        epoch: Callable[[], int],
        written: Callable[[], int],
        on_files: Callable[[], object] = lambda: None,
    ) -> None:
        """`written` rises by one at least with each batch that the journal writes.

        `on_files` is called when posts have brought files: those are noted on the way.
        """
        self._database = database
        self._epoch = epoch
        self._written = written
        self._on_files = on_files

    def run(self, stop: Stop) -> None:
        seen, waited, is_due, is_told = 0, 0, True, False
        while not stop.wait(TURN_S):
            written = self._written()
            came, seen = written - seen, written
            waited += 1
            is_due = is_due or came > 0 or waited >= IDLE_TURNS
            if not is_due or came > BUSY and waited < PATIENCE_TURNS:
                continue
            try:
                self.catch_up(stop)
                waited, is_due, is_told = 0, False, False
            except Transient as error:
                level = logging.DEBUG if is_told else logging.INFO
                log.log(level, "indexing: not now: %s", error)
                is_told = True

    def catch_up(self, stop: Stop | None = None) -> int:
        """Index all that waits; returns how many posts there were."""
        started, done = time.monotonic(), 0
        while not (stop and stop.is_set):
            count = self._index_piece()
            if count == 0:
                break
            done += count
        took_s = time.monotonic() - started
        log.debug("indexing: %d posts in %.1f s", done, took_s)
        return done

    def _index_piece(self) -> int:
        """Fenced: of two daemons at once the slower one might write what is old."""
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_SOFT)
            ids, done = _take(cursor)
            files = _write(cursor, list(ids)) if ids else 0
            cursor.execute(_DONE, (done,))
        if files:
            self._on_files()
        return len(ids)


def _take(cursor: Cursor) -> tuple[Set[str], Sequence[int]]:
    """About a piece of what waits, and the notes that will be dealt with by that."""
    taken: set[str] = set()
    done = []
    for note in read_notes(cursor, PIECE):
        if note.post_ids is not None:
            taken.update(note.post_ids)
            done.append(note.number)
        elif ids := _next_of_history(cursor, note):
            taken.update(ids)
        else:
            done.append(note.number)
    return taken, done


def _next_of_history(cursor: Cursor, note: Note) -> Sequence[str]:
    cursor.execute(_HISTORY, (*note.after, PIECE))
    rows = cursor.fetchall()
    if rows:
        cursor.execute(_WENT_ON, (*rows[-1], note.number))
    return [id_ for _, _, id_ in rows]


def read_words(cursor: Cursor, ids: Sequence[str]) -> dict[str, str]:
    """The plain words of those of these posts that can be found at all."""
    if not ids:
        return {}
    cursor.execute(_TEXTS, {"ids": ids})
    return {id_: plain(said(message, raw)) for id_, message, raw in cursor.fetchall()}


def _write(cursor: Cursor, ids: Sequence[str]) -> int:
    """What the index says of them is what the archive says; of some that is nothing.

    Returns how many new files they have. The words come first: who erases posts locks
    their table before he locks the posts.
    """
    found = read_words(cursor, ids)
    terms = {"ids": ids, "found": list(found), "plain": list(found.values())}
    cursor.execute(_FORGET, terms)
    cursor.execute(_WRITE, terms)
    return note_files(cursor, ids)
