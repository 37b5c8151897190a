"""Full text search over the archive: a question, and the posts that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from malexbot.storage.database import Database
from malexbot.storage.matching import Tail, match, read
from malexbot.storage.query import Question, parse
from malexbot.storage.session import Cursor
from malexbot.storage.snippets import Piece, cut, read_marks
from malexbot.storage.words import plain, said

# Who waits for an answer longer than this has gone.
PATIENCE_S = 10.0
# Further into a text nothing is marked.
_MARKED_SIGNS = 20_000

# The rows that match lie scattered over the table; to have each page of it brought
# by another process takes longer than to read it. Nor is there time to compile.
_SETTINGS = """
SET LOCAL effective_io_concurrency TO 0; SET LOCAL jit TO off
"""
_THREAD_OF = """
SELECT coalesce(nullif(root_id, ''), id) FROM posts WHERE id = %s
UNION ALL SELECT root_id FROM posts WHERE root_id = %s AND root_id <> '' LIMIT 1
"""
_COLUMNS = (
    *("id", "channel_id", "channel", "team", "user_id", "user"),
    *("root_id", "create_at", "edit_at", "delete_at"),
)
_POSTS = """
SELECT p.id, p.channel_id, coalesce(nullif(c.display_name, ''), c.name, ''),
  coalesce(c.team, ''), p.user_id, coalesce(u.name, ''), p.root_id, p.create_at,
  p.edit_at, p.delete_at, p.message, p.raw
FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (id, place)
JOIN posts p ON p.id = wanted.id
LEFT JOIN channels c ON c.channel_id = p.channel_id
LEFT JOIN people u ON u.user_id = p.user_id
ORDER BY wanted.place
"""
_OPENING, _CLOSING = "<", ">"
_MARKED = f"""
SELECT ts_headline('spoken', plain, %s::tsquery,
  'HighlightAll=true, StartSel={_OPENING}, StopSel={_CLOSING}')
FROM unnest(%s::text[]) WITH ORDINALITY AS shown (plain, place) ORDER BY place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A post, as it is now; names are "" where they are not known."""

    id: str
    channel_id: str
    channel: str
    team: str
    """As it stands in addresses; a direct channel has none."""
    user_id: str
    user: str
    root_id: str
    create_at: int
    edit_at: int
    delete_at: int
    text: str
    """The message, and what its attachments and files are called."""
    snippet: Sequence[Piece]

    def permalink(self, server: str) -> str:
        """Its address on that server, which leads on to the team if need be."""
        return f"{server}/{self.team or '_redirect'}/pl/{self.id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The best matches first, and how far it was looked."""

    found: Sequence[Found]
    matches: int
    """How many posts were ranked."""
    is_all: bool
    """No: there may be older matches, beyond the NEWEST."""
    unsearched: int | None
    """Posts that were not looked at yet; None: nobody knows how many."""


class Search:
    """Works beside a daemon and without one; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, question: Question) -> Answer:
        """Any text is answered; raises Unsearchable if it asks for nothing."""
        query = parse(question.text)
        with self._database.transaction(limit_s=PATIENCE_S) as cursor:
            cursor.execute(_SETTINGS)
            sought = read(cursor, query)
            # The tail first: what is indexed meanwhile is in both, not in none.
            tail = Tail(cursor)
            matches = match(cursor, question, sought, tail)
            found = _show(cursor, matches.ids, sought.whole)
        return Answer(found, matches.number, matches.is_all, tail.left)


def _show(cursor: Cursor, ids: Sequence[str], words: str) -> Sequence[Found]:
    cursor.execute(_POSTS, (list(ids),))
    rows = cursor.fetchall()
    texts = [said(message, raw) for *_, message, raw in rows]
    cursor.execute(_MARKED, (words, [plain(text[:_MARKED_SIGNS]) for text in texts]))
    marked = [told for (told,) in cursor.fetchall()]
    return [
        _found(row, text, told)
        for row, text, told in zip(rows, texts, marked, strict=True)
    ]


def _found(row: Sequence[Any], text: str, marked: str) -> Found:
    *columns, _, _ = row
    snippet = cut(text, read_marks(marked, _OPENING, _CLOSING))
    return Found(
        **dict(zip(_COLUMNS, columns, strict=True)), text=text, snippet=snippet
    )


def find_thread(database: Database, post_id: str) -> str | None:
    """The id of the post that its thread began with; None: it is not kept."""
    with database.transaction() as cursor:
        cursor.execute(_THREAD_OF, (post_id, post_id))
        found = cursor.fetchone()
    return str(found[0]) if found else None
