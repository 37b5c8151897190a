"""The people of the archive: how they are called, and who is meant by a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from malexbot.events import Event
from malexbot.ports import Entry
from malexbot.storage.database import Database
from malexbot.storage.session import Cursor

# So many names are kept in mind; then it begins anew.
MOST_NAMES = 50_000

# Whose post is not in the archive stays unknown there.
_WRITE = """
INSERT INTO people (source, user_id, name)
SELECT DISTINCT ON (source, user_id) source, user_id, name
FROM unnest(%(sources)s, %(user_ids)s, %(names)s, %(post_ids)s)
  AS heard (source, user_id, name, post_id)
WHERE EXISTS (SELECT FROM posts WHERE posts.id = post_id)
ORDER BY source, user_id
ON CONFLICT (source, user_id) DO UPDATE SET name = excluded.name
RETURNING source, user_id, name
"""
_NAMES = "SELECT user_id, name FROM people"
_FIND = """
SELECT user_id, name FROM people
WHERE user_id = %(given)s OR lower(name) = lower(%(name)s)
ORDER BY user_id <> %(given)s, name, user_id
"""
_WROTE = "SELECT EXISTS (SELECT FROM posts WHERE user_id = %s)"
_ALL_NAMES = "SELECT DISTINCT name FROM people ORDER BY name"

Who = tuple[str, str]
"""A messenger and an id there."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody who wrote or marked a kept post."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name or 'without a name'} ({self.id})"


class People:
    """Writes each name once, and again when it is another one; for one thread."""

    def __init__(self) -> None:
        self._known: dict[Who, str] = {}

    def write(self, cursor: Cursor, entries: Iterable[Entry]) -> Mapping[Who, str]:
        """What was written; it is to be remembered when it is committed.

        After the posts of the entries: only who has one in the archive is named.
        """
        heard = self._heard(entries)
        if not heard:
            return {}
        columns = zip(*((*who, *told) for who, told in heard.items()), strict=True)
        names = ("sources", "user_ids", "names", "post_ids")
        terms = dict(zip(names, map(list, columns), strict=True))
        cursor.execute(_WRITE, terms)
        return {(source, id_): name for source, id_, name in cursor.fetchall()}

    def remember(self, written: Mapping[Who, str]) -> None:
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        self._known.update(written)

    def _heard(self, entries: Iterable[Entry]) -> dict[Who, tuple[str, str]]:
        """The new names, each with a post that would be theirs."""
        heard: dict[Who, tuple[str, str]] = {}
        known = self._known
        for event, keeps, _, is_archived in entries:
            name = event.user.nick
            if name and is_archived and (keeps or event.reaction is not None):
                who = event.source, str(event.user.uuid)
                if known.get(who) != name:
                    heard[who] = _readable(name), _post_id(event)
        return heard


def _post_id(event: Event) -> str:
    """The post that is theirs, or that they marked."""
    if event.post is not None:
        return event.post.original_id or event.post.id
    return str(event.reaction.cmid) if event.reaction is not None else ""


def _readable(name: str) -> str:
    """What PostgreSQL can keep: no name may hold up the posts."""
    return name.replace("\0", "").encode("utf-8", "replace").decode()


def names(cursor: Cursor) -> dict[str, str]:
    """Everybody's name by their id."""
    cursor.execute(_NAMES)
    return dict(cursor.fetchall())


def find_people(database: Database, text: str) -> Sequence[KnownPerson]:
    """Those with this id or name, with or without an @; an id is one person.

    Who wrote something and whose name was never heard is found by the id.
    """
    given = text.strip()
    with database.transaction() as cursor:
        cursor.execute(_FIND, {"given": given, "name": given.lstrip("@")})
        found = [KnownPerson(*row) for row in cursor.fetchall()]
        if not found:
            cursor.execute(_WROTE, (given,))
            if cursor.fetchone() == (True,):
                found = [KnownPerson(given, "")]
    return found[:1] if found and found[0].id == given else found


def people_names(database: Database) -> Sequence[str]:
    with database.transaction() as cursor:
        cursor.execute(_ALL_NAMES)
        return [name for (name,) in cursor.fetchall()]
