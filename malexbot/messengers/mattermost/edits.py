"""Reads what was edited or deleted while nobody listened.

`since` tells it in one call, unless it answers with as many rows as it can: those
are an arbitrary choice, so then every page of the channel is compared with the
archive. How far that came is kept in the bookmark as "anchor:newest:began_at".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import (
    NOWHERE,
    Pages,
    Place,
    Room,
    Shifted,
    backward,
    post_of,
)
from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.walks import OVERLAP_MS, SOURCE, Step
from malexbot.ports import EditsRead, ReadAnew, Vanished

# The server's limit; which of more rows it answers is arbitrary, and untold.
SINCE_LIMIT = 1000
# So many missing posts are asked for before what was found is written.
ASKED_AT_ONCE = 100
END_OF_TIME = 2**53


class Archived(Protocol):
    """What the archive holds; part of ports.Bookmarks."""

    def archived(
        self, source: str, channel_id: str, *, since: int, until: int
    ) -> dict[str, int]: ...

    def oldest(self, source: str, channel_id: str) -> int: ...


class _Stand(NamedTuple):
    """How far a long walk came: what is newer than `newest` is compared."""

    anchor: Place
    newest: int
    began_at: int

    def __str__(self) -> str:
        return f"{self.anchor.id}:{self.newest}:{self.began_at}"

    @classmethod
    def parse(cls, words: str) -> _Stand:
        anchor_id, newest, began_at = words.split(":")
        return cls(Place(anchor_id, 0), int(newest), int(began_at))


class Edits:
    """The edits and deletions of a channel since its bookmark says they are known."""

    def __init__(
        self,
        *,
        pages: Pages,
        archive: Archived,
        now_ms: Callable[[], int],
        since_limit: int = SINCE_LIMIT,
    ) -> None:
        self._pages = pages
        self._archive = archive
        self._now_ms = now_ms
        self._since_limit = since_limit

    def walk(self, room: Room) -> Iterator[Step]:
        """One call, or the long walk if that one cannot be trusted."""
        if room.bookmark.edits_walk_id:
            yield from self._compare(room, _Stand.parse(room.bookmark.edits_walk_id))
            return
        until = self.horizon()
        known_until = room.bookmark.edits_until or self._before_the_archive(room)
        events, rows = self._pages.since(room, known_until)
        if rows >= self._since_limit:
            stand = _Stand(NOWHERE, END_OF_TIME, until)
            yield Step(events[::-1], [_read(room, stand)])
            yield from self._compare(room, stand)
        elif rows or room.news.last_post_at <= known_until:
            yield Step(events[::-1], [EditsRead(SOURCE, room.id, until)])
        # Else something did change, and an empty answer is none to build upon.

    def anew(self, room: Room, head: Place, number: int) -> ReadAnew:
        """What asks for a walk that compares all of a channel with the archive."""
        until = self.horizon()
        walk = str(_Stand(NOWHERE, END_OF_TIME, until))
        return ReadAnew(SOURCE, room.id, *head, number or None, until, walk)

    def horizon(self) -> int:
        """So far edits are visible by now, late ones included."""
        return self._now_ms() - OVERLAP_MS

    def _before_the_archive(self, room: Room) -> int:
        """Nothing was edited or deleted before it was written; 0 asks for a page."""
        return max(1, self._archive.oldest(SOURCE, room.id) - 1)

    def has_archived(self, room: Room) -> bool:
        """No means that nothing is kept of it, so no deletion can matter."""
        return self._archive.oldest(SOURCE, room.id) > 0

    def _compare(self, room: Room, stand: _Stand) -> Iterator[Step]:
        """Every page, newest first, as far back as the archive goes."""
        oldest = self._archive.oldest(SOURCE, room.id) or END_OF_TIME
        try:
            for leaf in backward(self._pages, room, stand.anchor):
                low = post_of(leaf.events[-1]).create_at
                yield from self._compare_page(room, leaf.events, low, stand.newest)
                stand = stand._replace(anchor=leaf.anchor, newest=low)
                yield Step((), [_read(room, stand)])
                if low < oldest:
                    break
            else:
                yield from self._compare_page(room, (), oldest - 1, stand.newest)
        except Shifted:
            stand = stand._replace(anchor=NOWHERE, newest=END_OF_TIME)
            yield Step((), [_read(room, stand)])
            return
        yield Step((), [EditsRead(SOURCE, room.id, stand.began_at)])

    def _compare_page(
        self, room: Room, events: Sequence[Event], low: int, high: int
    ) -> Iterator[Step]:
        """What differs from the archive, later than `low` and up to `high`.

        The group of the last millisecond may go on behind the page, so it is left
        to the next one, which holds all of it.
        """
        known = self._archive.archived(SOURCE, room.id, since=low + 1, until=high)
        shown = {post_of(event).id for event in events}
        differing = [event for event in events if _differs(event, known)]
        if differing:
            yield Step(differing[::-1])
        missing = sorted(known.keys() - shown)
        for start in range(0, len(missing), ASKED_AT_ONCE):
            yield self._ask(room, missing[start : start + ASKED_AT_ONCE])

    def _ask(self, room: Room, post_ids: Sequence[str]) -> Step:
        """The archive has them and the page has not: are they deleted?"""
        found, gone = [], []
        for id in post_ids:
            try:
                event = self._pages.post(room, id)
            except Unreadable:
                continue  # it is among the rejects, and it is not gone
            if event is None:
                gone.append(id)
            else:
                found.append(event)
        marks = [Vanished(SOURCE, room.id, gone, self._now_ms())] if gone else []
        return Step(found, marks)


def _differs(event: Event, known: dict[str, int]) -> bool:
    """Yes: the archive has another text, or has not this post at all."""
    post = post_of(event)
    return known.get(post.id) != post.edit_at


def _read(room: Room, stand: _Stand) -> EditsRead:
    return EditsRead(SOURCE, room.id, 0, str(stand))
