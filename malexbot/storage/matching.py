"""Which posts match a query: the newest ones, ranked.

To rank all of them would take half a second where there are many. What is not indexed
yet is looked through as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from malexbot.storage.indexing import read_notes, read_words
from malexbot.storage.query import (
    NO_WORD,
    Query,
    Question,
    Unsearchable,
    as_sql,
    completed,
    lexeme,
    narrowed,
    prefixes,
    required,
    single_words,
)
from malexbot.storage.session import Cursor

# So many matches are ranked.
NEWEST = 2000
# So many posts that are not indexed yet are looked through, in a few hundredths of a
# second.
TAIL = 500

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
# Who has the common words too comes before who has not.
_RANK = """
ts_rank_cd(words, %(required)s::tsquery, 1) + CASE WHEN %(required)s <> %(whole)s
  THEN ts_rank_cd(words, %(whole)s::tsquery, 1) ELSE 0 END
"""
_MATCHES = f"""
SELECT id, count(*) OVER () FROM (
  SELECT post_id AS id, create_at, {_RANK} AS rank FROM (
    SELECT post_id, create_at, words FROM post_words WHERE {{indexed}}
    ORDER BY create_at DESC LIMIT %(newest)s
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


class Tail:
    """The newest of what is not indexed yet."""

    def __init__(self, cursor: Cursor) -> None:
        notes = read_notes(cursor, TAIL)
        ids = [id_ for note in notes for id_ in note.post_ids or ()]
        self.ids = list(dict.fromkeys(ids))[:TAIL]
        self.texts = read_words(cursor, self.ids)
        self.left = _left(cursor, len(self.ids)) if notes else 0
        """Posts that nobody has looked at; None: nobody knows how many."""


def _left(cursor: Cursor, looked_at: int) -> int | None:
    cursor.execute(
        "SELECT coalesce(sum(posts), 0), bool_or(posts IS NULL) FROM unindexed"
    )
    posts, has_history = cursor.fetchone() or (0, False)
    return None if has_history else max(0, posts - looked_at)


class Sought(NamedTuple):
    """A query as PostgreSQL writes it."""

    required: str
    whole: str


def read(cursor: Cursor, query: Query) -> Sought:
    """Raises Unsearchable for words that are none to PostgreSQL."""
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
    return Sought(*told)


class Matches(NamedTuple):
    """The best of them."""

    ids: Sequence[str]
    number: int
    """How many were ranked."""
    is_all: bool
    """No: there may be older ones."""


def match(cursor: Cursor, question: Question, sought: Sought, tail: Tail) -> Matches:
    """Look by the index, and through the tail."""
    terms = {
        **sought._asdict(),
        "asked": " & ".join((f"({sought.required})", *_bounds(question))),
        "since": question.since,
        "until": question.until,
        "thread": question.thread_id,
        "late": tail.ids,
        "ids": list(tail.texts),
        "plain": list(tail.texts.values()),
        "newest": NEWEST,
        "limit": question.limit,
    }
    cursor.execute(_THREAD_MATCHES if question.thread_id else _ALL_MATCHES, terms)
    rows = cursor.fetchall()
    number = rows[0][1] if rows else 0
    return Matches([id_ for id_, _ in rows], number, number < NEWEST)


def _bounds(question: Question) -> Iterator[str]:
    yield from narrowed({"in": question.channel_id, "by": question.user_id})
    for channel_id in question.without:
        yield f"!{lexeme(f'in:{channel_id}')}"
    if not question.with_deleted:
        yield "!'is:deleted'"
