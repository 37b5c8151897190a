"""Those who were erased, as the transaction sees them that writes what came in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from malexbot.events import Event
from malexbot.ports import Entry, Reject
from malexbot.storage.naming import is_telling, naming
from malexbot.storage.session import Cursor

Who = tuple[str, str]
"""A messenger and an id there."""

# Who erases somebody takes a lock that waits for this one: what was written before he
# is told of is committed before his posts are deleted, and what is written later sees
# him here. Readers of the archive, a backup too, hold up neither.
_READ = "LOCK TABLE erased IN ROW SHARE MODE; SELECT source, user_id FROM erased"
_REMEMBER = """
LOCK TABLE erased IN EXCLUSIVE MODE;
INSERT INTO erased (source, user_id) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""

# What a post's metadata has of other people, and where it tells whose it is.
_OF_OTHERS = {"reactions": ("user_id",), "embeds": ("data", "post", "user_id")}


class Erased:
    """Who they are: of them nothing is kept, and nothing is done for them."""

    def __init__(self, people: Iterable[Who] = ()) -> None:
        self.people = frozenset(people)
        self._ids: dict[str, list[str]] = {}
        for source, user_id in self.people:
            self._ids.setdefault(source, []).append(user_id)

    def others(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those that are not theirs, without what they marked in them."""
        if not self.people:
            return entries
        return [
            entry._replace(event=event)
            for entry in entries
            if (event := self.without(entry.event)) is not None
        ]

    def without(self, event: Event) -> Event | None:
        """The event without what is theirs in it; None: it is theirs itself."""
        return None if self._has_made(event) else self._unmarked(event)

    def foreign(self, rejects: Iterable[Reject]) -> list[Reject]:
        """Those that do not name them: who wrote one nobody can tell."""
        return [reject for reject in rejects if not self._is_named(reject)]

    def _has_made(self, event: Event) -> bool:
        source, post = event.source, event.post
        if (source, str(event.user.uuid)) in self.people:
            return True
        return post is not None and (source, post.user_id) in self.people

    def _unmarked(self, event: Event) -> Event:
        if event.post is None:
            return event
        raw = unmarked(event.post.raw, self._ids.get(event.source, ()))
        return event._replace(post=event.post._replace(raw=raw))

    def _is_named(self, reject: Reject) -> bool:
        told = reject.raw.decode("latin-1") + reject.reason
        ids = filter(is_telling, self._ids.get(reject.source, ()))
        return any(re.search(naming(id_), told) for id_ in ids)


def unmarked(raw: str, ids: Sequence[str]) -> str:
    """A post's JSON without what the server adds to it of these people.

    That is how they marked it, and a preview of each post of theirs that it links to.
    """
    if not any(id_ in raw for id_ in ids):
        return raw
    try:
        row = json.loads(raw)
        fresh = _without(row, ids)
    except (ValueError, RecursionError):
        return raw
    return raw if fresh == row else json.dumps(fresh)


def _without(post: Any, ids: Sequence[str]) -> Any:
    metadata = _told(post, "metadata")
    left = {}
    for name, whose in _OF_OTHERS.items():
        if isinstance(found := _told(metadata, name), list):
            others = (each for each in found if _told(each, *whose) not in ids)
            left[name] = [_preview(each, ids) for each in others]
    return post | {"metadata": metadata | left} if left else post


def _preview(part: Any, ids: Sequence[str]) -> Any:
    """Somebody else's post, which they may have marked too."""
    if (post := _told(part, "data", "post")) is None:
        return part
    return part | {"data": part["data"] | {"post": _without(post, ids)}}


def _told(value: Any, *path: str) -> Any:
    """What is there, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def read_erased(cursor: Cursor, *, after: str) -> Erased:
    """Before anything else is written; in one round trip with what comes before it."""
    cursor.execute(f"{after}; {_READ}")
    return Erased(cursor.fetchall())


def remember(cursor: Cursor, source: str, user_id: str) -> None:
    """Once this is committed nothing of theirs comes in any more."""
    cursor.execute(_REMEMBER, (source, user_id))
