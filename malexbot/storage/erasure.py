"""Erases a person: what they wrote and marked goes, piece by piece, and stays away.

First it is remembered that nothing of theirs is kept; so it can be cut off anywhere
and done again, beside a daemon that goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from malexbot.storage import plain
from malexbot.storage.database import Database
from malexbot.storage.erased import Erased, remember, unmarked
from malexbot.storage.naming import is_telling, naming
from malexbot.storage.session import Cursor
from malexbot.storage.unnamed import unnamed
from malexbot.storage.wire import from_json, to_json

# Whose posts the archive has.
ARCHIVED = "mattermost"
# Each transaction erases so many: others wait for it.
PIECE = 1000

_THEIRS = {
    "posts": "FROM posts WHERE user_id = %(user_id)s",
    "earlier versions": """
        FROM post_versions v JOIN posts p ON p.id = v.post_id
        WHERE p.user_id = %(user_id)s""",
    "reactions": "FROM reactions WHERE user_id = %(user_id)s",
    "reactions to their posts": """
        FROM reactions r JOIN posts p ON p.id = r.post_id
        WHERE p.user_id = %(user_id)s AND r.user_id <> %(user_id)s""",
    "files": """
        FROM files f JOIN posts p ON p.id = f.post_id
        WHERE p.user_id = %(user_id)s""",
    "words in the index": """
        FROM post_words w JOIN posts p ON p.id = w.post_id
        WHERE p.user_id = %(user_id)s""",
    "echoes": "FROM echoes WHERE user_id = %(user_id)s",
    "rejects": "FROM rejects WHERE {named_in}",
    "names": "FROM people WHERE source = %(source)s AND user_id = %(user_id)s",
    "buttons and dialogs": "FROM grants WHERE {granted}",
}
# Who wrote what could not be read nobody can tell; the id in it is enough, if it can be
# told from any other number: else `named` is NULL, and nothing is found by it.
_NAMED_IN = """
source = %(source)s AND (encode(raw, 'escape') ~ %(named)s OR reason ~ %(named)s)
"""
# What was made for them, or because of them.
_GRANTED = """
(caused_by = %(user_id)s OR %(user_id)s = ANY (users)
  OR payload::text ~ %(named)s OR array_to_string(options, ' ') ~ %(named)s)
"""
_COUNTS = {
    name: "SELECT count(*) " + text.format(named_in=_NAMED_IN, granted=_GRANTED)
    for name, text in _THEIRS.items()
}
_IS_ERASED = "SELECT FROM erased WHERE source = %(source)s AND user_id = %(user_id)s"
_POSTS = "SELECT id FROM posts WHERE user_id = %(user_id)s ORDER BY channel_id"
# The index is written beside us, of texts that were read before: one or the other of
# us waits for this lock, and the later one sees what the earlier one did.
_ERASE_POSTS = """
LOCK TABLE post_words IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM posts WHERE id = ANY (%(ids)s)
"""
# PostgreSQL reads no JSON that has a NUL in some text, so whose a job is we look up.
_JOBS = f"""
SELECT id, event FROM jobs
WHERE id > %(after)s AND position(%(user_id)s IN event) > 0
ORDER BY id LIMIT {PIECE}
"""
_ERASE_JOBS = "DELETE FROM jobs WHERE id = ANY (%(ids)s)"
_WRITE_EVENTS = """
UPDATE jobs SET event = told.fresh
FROM unnest(%(ids)s::bigint[], %(fresh)s::text[]) AS told (id, fresh)
WHERE jobs.id = told.id
"""
# What a job is sending just now is made by then: its end and this wait for each other.
_ERASE_EFFECTS = "DELETE FROM jobs WHERE parent = ANY (%(ids)s) RETURNING id"
# What waits for a post is written with it: so before the tables that it goes to.
_FIRST = "DELETE FROM echoes WHERE user_id = %(user_id)s"
_REST = (
    "DELETE FROM reactions WHERE user_id = %(user_id)s",
    f"DELETE FROM rejects WHERE {_NAMED_IN}",
    "DELETE FROM people WHERE source = %(source)s AND user_id = %(user_id)s",
)

# Those of several are the others' from now on; of nobody it would be everybody's. Who
# presses one waits for all of its choice in this order too.
_LOCKED = f"SELECT ref FROM grants WHERE {_GRANTED} ORDER BY ref FOR UPDATE"
_GRANTS = (
    f"""
UPDATE grants SET users = array_remove(users, %(user_id)s) WHERE ref IN ({_LOCKED})
  AND cardinality(array_remove(users, %(user_id)s)) > 0
""",
    f"DELETE FROM grants WHERE ref IN ({_LOCKED})",
)
_VALUES = f"""
SELECT space, key, value, version FROM store
WHERE (space, key) > (%(space)s, %(key)s)
  AND (key || ' ' || value::text) ~ %(named)s
ORDER BY space, key LIMIT {PIECE}
"""
# It is written anew only if it is still the same.
_SAME = "WHERE space = %(space)s AND key = %(key)s AND version = %(version)s"
_DELETE_VALUE = f"DELETE FROM store {_SAME}"
_WRITE_VALUE = f"UPDATE store SET value = %(fresh)s, version = DEFAULT {_SAME}"

# The JSON of others' posts tells who marked them, and has previews of the posts that
# they link to. It is written anew only if it is still the same.
_MARKED = """
SELECT ctid::text FROM {table}
WHERE position(%(user_id)s IN raw) > 0
  AND (position('"reactions"' IN raw) > 0 OR position('"embeds"' IN raw) > 0)
"""
_READ_RAW = "SELECT ctid::text, raw FROM {table} WHERE ctid = ANY (%(ids)s::tid[])"
_WRITE_RAW = """
UPDATE {table} SET raw = told.fresh
FROM unnest(%(ids)s::tid[], %(old)s::text[], %(fresh)s::text[]) AS told (id, old, fresh)
WHERE ctid = told.id AND raw = told.old
"""
# In the order in which a row goes on: what an edit makes an earlier version meanwhile
# is either clean by then, or looked at afterwards.
_WITH_RAW = ("echoes", "posts", "post_versions")

Tell = Callable[[int], object]
_Value = dict[str, Any]
"""A value of a plugin: where it stands, its version, and what is left of it."""
_Job = tuple[int, str, str | None]
"""Its id, its event, and that without what is theirs."""


class Erasure:
    """What is to be erased of one person, and how that is done."""

    def __init__(self, database: Database, source: str, user_id: str) -> None:
        self._database = database
        self._source = source
        self._erased = Erased([(source, user_id)])
        self._named = re.compile(naming(user_id)) if is_telling(user_id) else None
        self._terms: dict[str, Any] = {
            "source": source,
            "user_id": user_id,
            "named": self._named.pattern if self._named else None,
        }

    @property
    def is_known(self) -> bool:
        """Yes: it was begun before; nothing of theirs has come in since."""
        with self._database.transaction() as cursor:
            cursor.execute(_IS_ERASED, self._terms)
            return cursor.rowcount > 0

    def count(self) -> dict[str, int]:
        """How much of theirs there is now, by what it is."""
        counts = {}
        with self._database.transaction(limit_s=0) as cursor:
            for name, statement in _COUNTS.items():
                cursor.execute(statement, self._terms)
                (counts[name],) = cursor.fetchone() or (0,)
        theirs = (fresh is None for jobs in self._jobs() for _, _, fresh in jobs)
        values = sum(1 for _ in self._values())
        return counts | {"jobs": sum(theirs), "values that plugins keep": values}

    def erase(self, tell: Tell) -> None:
        """All of it; `tell` hears of each so many posts that are gone."""
        with self._database.transaction() as cursor:
            remember(cursor, self._source, self._terms["user_id"])
        for jobs in self._jobs():
            self._erase_jobs(jobs)
        self._do(_FIRST)
        ids = self._find(_POSTS)
        for start in range(0, len(ids), PIECE):
            piece = ids[start : start + PIECE]
            self._do(_ERASE_POSTS, ids=piece)
            tell(len(piece))
        for statement in (*_REST, *_GRANTS):
            self._do(statement)
        for value in self._values():
            is_left = value["fresh"] is not None
            self._do(_WRITE_VALUE if is_left else _DELETE_VALUE, **value)
        for table in _WITH_RAW if self._source == ARCHIVED else ():
            while self._unmark(table):
                pass

    def _unmark(self, table: str) -> int:
        """Take what is theirs out of the JSON; returns how many rows had some."""
        places = self._find(_MARKED.format(table=table))
        return sum(
            self._unmark_piece(table, places[start : start + PIECE])
            for start in range(0, len(places), PIECE)
        )

    def _unmark_piece(self, table: str, places: Sequence[str]) -> int:
        ids = [str(self._terms["user_id"])]
        with self._database.transaction(limit_s=0) as cursor:
            cursor.execute(_READ_RAW.format(table=table), {"ids": list(places)})
            changed = [
                (place, raw, fresh)
                for place, raw in cursor.fetchall()
                if (fresh := unmarked(raw, ids)) != raw
            ]
            if changed:
                columns = map(list, zip(*changed, strict=True))
                terms = dict(zip(("ids", "old", "fresh"), columns, strict=True))
                cursor.execute(_WRITE_RAW.format(table=table), terms)
        return len(changed)

    def _find(self, statement: str) -> Sequence[str]:
        with self._database.transaction(limit_s=0) as cursor:
            cursor.execute(statement, self._terms)
            return [id_ for (id_,) in cursor.fetchall()]

    def _jobs(self) -> Iterator[Sequence[_Job]]:
        """All that name them, a piece at a time; those that came later name nobody."""
        after = 0
        while True:
            with self._database.transaction(limit_s=0) as cursor:
                cursor.execute(_JOBS, self._terms | {"after": after})
                found = cursor.fetchall()
            if not found:
                return
            yield [(id_, event, self._without(event)) for id_, event in found]
            after = found[-1][0]

    def _without(self, told: str) -> str | None:
        """An event without what is theirs; None: it is theirs, or nobody can tell."""
        try:
            event = from_json(told)
            fresh = self._erased.without(event)
        except (LookupError, TypeError, ValueError):
            return None if self._is_named(told) else told
        return told if fresh == event else fresh and to_json(fresh)

    def _erase_jobs(self, jobs: Sequence[_Job]) -> None:
        """Theirs go, with all that they have to send; those of others forget them."""
        made = [id_ for id_, _, fresh in jobs if fresh is None]
        changed = [
            (id_, fresh) for id_, told, fresh in jobs if fresh not in (None, told)
        ]
        with self._database.transaction(limit_s=0) as cursor:
            if changed:
                ids, events = map(list, zip(*changed, strict=True))
                cursor.execute(_WRITE_EVENTS, {"ids": ids, "fresh": events})
            cursor.execute(_ERASE_JOBS, {"ids": made})
            while made:
                cursor.execute(_ERASE_EFFECTS, {"ids": made})
                made = _ids(cursor)

    def _values(self) -> Iterator[_Value]:
        """Those that have something of theirs, a piece at a time."""
        after = {"space": "", "key": ""}
        while True:
            with self._database.transaction(limit_s=0) as cursor:
                cursor.execute(_VALUES, self._terms | after)
                found = cursor.fetchall()
            if not found:
                return
            for space, key, value, version in found:
                after = {"space": space, "key": key}
                is_theirs = self._is_named(key)
                fresh = None if is_theirs else unnamed(value, self._terms["user_id"])
                if fresh != value:
                    told = None if fresh is None else plain.to_json(fresh)
                    yield after | {"version": version, "fresh": told}

    def _is_named(self, text: str) -> bool:
        return self._named is not None and self._named.search(text) is not None

    def _do(self, statement: str, **more: object) -> None:
        with self._database.transaction(limit_s=0) as cursor:
            cursor.execute(statement, self._terms | more)


def _ids(cursor: Cursor) -> list[int]:
    return [id_ for (id_,) in cursor.fetchall()]
