"""Full text search over the archive.

The newest of the posts that match are ranked: to rank them all would take half a
second where there are many. What is not indexed yet is looked through as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from malexbot.storage.database import Database
from malexbot.storage.indexing import read_notes, read_words
from malexbot.storage.query import (
    NO_WORD,
    Query,
    Unsearchable,
    as_sql,
    completed,
    narrowed,
    parse,
    prefixes,
    required,
    single_words,
)
from malexbot.storage.session import Cursor
from malexbot.storage.snippets import Piece, cut, read_marks
from malexbot.storage.words import plain, said

# So many matches are ranked.
NEWEST = 2000
# So many posts that are not indexed yet are looked through, in a few hundredths of a
# second.
TAIL = 500
# Who waits for an answer longer than this has gone.
PATIENCE_S = 10.0
FOR_EVER = 2**63 - 1
# Further into a text nothing is marked.
_MARKED_SIGNS = 20_000

# The rows that match lie scattered over the table; to have each page of it brought
# by another process takes longer than to read it. Nor is there time to compile.
_SETTINGS = """
SET LOCAL effective_io_concurrency TO 0; SET LOCAL jit TO off
"""
_STEMS = "SELECT tsvector_to_array(to_tsvector('spoken', %s))"
# PostgreSQL knows words that say nothing.
_COMMON = """
SELECT word FROM unnest(%s::text[]) AS word
WHERE to_tsvector('pg_catalog.russian', word) = ''
"""
# The second one is empty, or "T", where no index can help.
_READ = "SELECT q::text, querytree(q) FROM (SELECT {query}) AS t (q)"
_ASKED = """
words @@ %(asked)s::tsquery
    AND create_at >= %(since)s AND create_at < %(until)s{thread}
"""
_THREAD = """
    AND {id} = ANY (ARRAY(
      SELECT id FROM posts WHERE id = %(thread)s
      UNION ALL SELECT id FROM posts WHERE root_id = %(thread)s AND root_id <> ''))
"""
_THREAD_OF = """
SELECT coalesce(nullif(root_id, ''), id) FROM posts WHERE id = %s
UNION ALL SELECT root_id FROM posts WHERE root_id = %s AND root_id <> '' LIMIT 1
"""
# Who has the common words too comes before who has not.
_RANK = """
ts_rank_cd(words, %(required)s::tsquery, 1) + ts_rank_cd(words, %(whole)s::tsquery, 1)
"""
_MATCHES = f"""
SELECT id, count(*) OVER () FROM (
  SELECT post_id AS id, create_at, {_RANK} AS rank FROM (
    SELECT post_id, create_at, words FROM post_words WHERE {{indexed}}
    ORDER BY create_at DESC LIMIT {NEWEST}
  ) newest
  WHERE NOT post_id = ANY (%(late)s)
  UNION ALL
  SELECT id, create_at, {_RANK} FROM (
    SELECT p.id, p.create_at,
      found_by(told.plain, p.channel_id, p.user_id, p.delete_at > 0) AS words
    FROM unnest(%(ids)s::text[], %(plain)s::text[]) AS told (id, plain)
    JOIN posts p ON p.id = told.id
  ) late
  WHERE {{late}}
) matches
ORDER BY rank DESC, create_at DESC, id LIMIT %(limit)s
"""
_ALL_MATCHES, _THREAD_MATCHES = (
    _MATCHES.format(
        indexed=_ASKED.format(thread=thread.format(id="post_id")),
        late=_ASKED.format(thread=thread.format(id="id")),
    )
    for thread in ("", _THREAD)
)
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
class Question:
    """What is looked for; times are milliseconds, `until` is not within them."""

    text: str
    channel_id: str | None = None
    user_id: str | None = None
    thread_id: str | None = None
    """The id of the post that the thread began with."""
    since: int = 0
    until: int = FOR_EVER
    with_deleted: bool = False
    limit: int = 20


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
            sought = _read(cursor, query)
            # The tail first: what is indexed meanwhile is in both, not in none.
            tail = _Tail(cursor)
            ids, matches = _match(cursor, question, sought, tail)
            found = _show(cursor, ids, sought.whole)
        return Answer(found, matches, matches < NEWEST, tail.left)


class _Tail:
    """The newest of what is not indexed yet."""

    def __init__(self, cursor: Cursor) -> None:
        notes = read_notes(cursor, TAIL)
        ids = [id_ for note in notes for id_ in note.post_ids or ()]
        self.ids = list(dict.fromkeys(ids))[:TAIL]
        self.texts = read_words(cursor, self.ids)
        self.left = _left(cursor, len(self.ids)) if notes else 0


def _left(cursor: Cursor, looked_at: int) -> int | None:
    cursor.execute(
        "SELECT coalesce(sum(posts), 0), bool_or(posts IS NULL) FROM unindexed"
    )
    posts, has_history = cursor.fetchone() or (0, False)
    return None if has_history else max(0, posts - looked_at)


class _Sought(NamedTuple):
    """A query as PostgreSQL writes it."""

    required: str
    whole: str


def _read(cursor: Cursor, query: Query) -> _Sought:
    stems = {}
    for prefix in prefixes(query):
        cursor.execute(_STEMS, (completed(prefix),))
        (stems[prefix],) = cursor.fetchone() or ((),)
    cursor.execute(_COMMON, (list(single_words(query)),))
    common = {word for (word,) in cursor.fetchall()}
    told = []
    for each in (required(query, common), query):
        sql, values = as_sql(each, stems)
        cursor.execute(_READ.format(query=sql), values)
        text, looked_up = cursor.fetchone() or ("", "")
        if looked_up in ("", "T"):
            raise Unsearchable(NO_WORD)
        told.append(str(text))
    return _Sought(*told)


def _match(
    cursor: Cursor, question: Question, sought: _Sought, tail: _Tail
) -> tuple[Sequence[str], int]:
    """The ids of the best, and of how many."""
    terms = {
        **sought._asdict(),
        "asked": " & ".join((f"({sought.required})", *_bounds(question))),
        "since": question.since,
        "until": question.until,
        "thread": question.thread_id,
        "late": tail.ids,
        "ids": list(tail.texts),
        "plain": list(tail.texts.values()),
        "limit": question.limit,
    }
    cursor.execute(_THREAD_MATCHES if question.thread_id else _ALL_MATCHES, terms)
    rows = cursor.fetchall()
    return [id_ for id_, _ in rows], rows[0][1] if rows else 0


def _bounds(question: Question) -> Iterator[str]:
    yield from narrowed({"in": question.channel_id, "by": question.user_id})
    if not question.with_deleted:
        yield "!'is:deleted'"


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
