"""Walks through a channel: forward to its newest post, back through its history.

A walk is an iterator of steps; each is written as a whole before the next is asked
for. What a mark says, and every walk keeps: nothing that is older than the mark by
more than OVERLAP_MS is missing. A post becomes visible up to that long after its
create_at, so a walk begins OVERLAP_MS before the mark, and never moves the mark
beyond the newest post that was there when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import (
    NOWHERE,
    Pages,
    Place,
    Room,
    Shifted,
    backward,
    border_of,
    forward,
    post_of,
)
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.ports import CaughtUp, EditsRead, Looked, Mark, ReadAnew, WalkedBack

SOURCE = "mattermost"
# The server gives a post its time before it saves it; a busy one needs a while.
OVERLAP_MS = 60_000

Now = Callable[[], int]


def all_the_way() -> int:
    """How far back a history goes: no post is older."""
    return 0


class Step(NamedTuple):
    """Events and the marks that they allow: written together or not at all."""

    events: Sequence[Event]
    marks: Sequence[Mark] = ()
    anchor: Place = NOWHERE
    """From where a walk goes on whose marks do not say it."""


class Aim(NamedTuple):
    """What a walk forward is to reach: what was there when it began."""

    room: Room
    number: int
    """The connection to fill the channel for; 0 for none."""
    newest: Sequence[Event]
    """The newest page."""
    head: Place
    counters: Sequence[Looked]
    """Those of the list of channels, if they may be relied on."""

    @property
    def mark(self) -> Place:
        return Place(self.room.bookmark.mark_id, self.room.bookmark.mark_at)


class CatchUp:
    """Brings a channel from its mark to its newest post."""

    def __init__(
        self,
        *,
        pages: Pages,
        hearing: Hearing,
        now_ms: Now,
        since_ms: Now = all_the_way,
        overlap_ms: int = OVERLAP_MS,
    ) -> None:
        self._pages = pages
        self._hearing = hearing
        self._now_ms = now_ms
        self._since_ms = since_ms
        self._overlap_ms = overlap_ms

    def walk(self, room: Room, number: int) -> Iterator[Step]:
        """The socket of connection `number` was open before the room was looked at."""
        began_at = self._now_ms()
        newest = self._pages.newest(room)
        is_told = self._hearing.is_proven
        self._hearing.compare(room, newest)
        head = _head(room, newest, began_at)
        aim = Aim(room, number, newest, head, self.counters(room, began_at))
        known_until = min(aim.mark.at, self._hearing.doubted_from(room.id))
        floor = known_until - self._overlap_ms
        if not aim.mark.at:
            yield self._first_look(aim)
        elif not newest or post_of(newest[-1]).create_at < floor:
            yield Step(newest[::-1], self.arrived(aim, head))
        elif anchor := self._anchor(aim, floor):
            yield from self._forward(aim, anchor)
        else:
            yield from self._all(aim, floor)
        if is_told:
            self._hearing.believe(room.id)

    def is_set_back(self, room: Room) -> bool:
        """Yes: the server's clock was, so what came since may be before the mark.

        Then the mark begins again at the head, and all that is older is walked
        through, as the history of a channel that was never read.
        """
        return room.is_ahead_of(self._now_ms())

    def head(self, room: Room) -> Place:
        """Where a mark may begin now."""
        began_at = self._now_ms()
        return _head(room, self._pages.newest(room), began_at)

    # What the marks say; the simulation breaks these one by one.

    def passed(self, aim: Aim, reached: Place) -> Sequence[Mark]:
        """So far the channel is read, but there is more."""
        place = self.bounded(aim, reached)
        return [CaughtUp(SOURCE, aim.room.id, place.id, place.at, None)]

    def arrived(self, aim: Aim, reached: Place) -> Sequence[Mark]:
        """All that was there when the walk began is read."""
        place, filled_for = self.bounded(aim, reached), aim.number or None
        mark = CaughtUp(SOURCE, aim.room.id, place.id, place.at, filled_for)
        return [mark, *aim.counters]

    def bounded(self, aim: Aim, reached: Place) -> Place:
        """Not beyond the head: what became visible below it since was not seen."""
        return min(aim.head, reached, key=lambda place: place.at)

    def counters(self, room: Room, now: int) -> Sequence[Looked]:
        """They may be relied on once the channel has been quiet for a while.

        A post that becomes visible after this look is then newer than
        last_post_at, so it will change them.
        """
        news = room.news
        if news.last_post_at + self._overlap_ms >= now:
            return []
        return [Looked(SOURCE, room.id, news.messages, news.last_post_at)]

    # How it walks.

    def _first_look(self, aim: Aim) -> Step:
        """Begins at the head; what is older is history, walked by itself."""
        marks = [*self.arrived(aim, aim.head)]
        if aim.newest:
            marks.append(_back(aim.room, border_of(aim.newest)))
        return Step(_not_before(self._since_ms(), aim.newest)[::-1], marks)

    def _anchor(self, aim: Aim, floor: int) -> Place | None:
        """The newest post older than the floor, if one is seen from the mark."""
        try:
            for leaf in backward(self._pages, aim.room, aim.mark):
                for post in map(post_of, leaf.events):
                    if post.create_at < floor:
                        return Place(post.id, post.create_at)
        except Shifted:
            pass
        return None

    def _forward(self, aim: Aim, anchor: Place) -> Iterator[Step]:
        """Page by page to the head, and to all that shares its millisecond."""
        reached = aim.mark
        is_whole = bool(border_of(aim.newest).id)
        unseen = {post_of(event).id for event in aim.newest}
        for leaf in forward(self._pages, aim.room, anchor):
            posts = [post_of(event) for event in leaf.events]
            unseen.difference_update(post.id for post in posts)
            reached = Place(posts[-1].id, posts[-1].create_at)
            if reached.at > aim.head.at or (is_whole and not unseen):
                yield Step(leaf.events, self.arrived(aim, reached))
                return
            yield Step(leaf.events, self.passed(aim, reached))
        # An empty page: the head was deleted meanwhile, or else the anchor.
        newest = self._pages.newest(aim.room)
        if newest and post_of(newest[0]).create_at > reached.at:
            raise Shifted(f"{aim.room.name}: the walk lost its way at {reached.id}")
        yield Step((), self.arrived(aim, reached))

    def _all(self, aim: Aim, floor: int) -> Iterator[Step]:
        """From the head down to the floor, if there is no anchor to go forward from.

        The mark was removed from the database, or the channel is younger than the
        overlap. The mark cannot move before the end.
        """
        for leaf in backward(self._pages, aim.room):
            yield Step(leaf.events[::-1])
            if post_of(leaf.events[-1]).create_at < floor:
                break
        yield Step((), self.arrived(aim, aim.head))


class History:
    """Walks from the newest post to the oldest, or to the time that bounds it."""

    def __init__(self, pages: Pages, *, since_ms: Now = all_the_way) -> None:
        self._pages = pages
        self._since_ms = since_ms

    def walk(self, room: Room) -> Iterator[Step]:
        """Goes on where the bookmark says, and ends with a mark that it is done."""
        stands_at = Place(room.bookmark.history_id, 0)
        try:
            for step in self._walk(room, self._since_ms, stands_at):
                # An anchor whose time is not known yet is where it was before.
                marks = [_back(room, step.anchor)] if step.anchor.at else []
                yield step._replace(marks=marks)
        except Shifted:
            yield Step((), [_back(room, NOWHERE)])
            return
        yield Step((), [_back(room, NOWHERE, is_done=True)])

    def again(
        self, room: Room, since_ms: int, anchor: Place = NOWHERE
    ) -> Iterator[Step]:
        """The same without marks, for an operator who asks for it."""
        return self._walk(room, lambda: since_ms, anchor)

    def _walk(self, room: Room, since_ms: Now, anchor: Place) -> Iterator[Step]:
        """The bound is asked for at each page: it moves with the time."""
        for leaf in backward(self._pages, room, anchor):
            wanted = _not_before(since_ms(), leaf.events)
            yield Step(wanted[::-1], (), leaf.anchor)
            if len(wanted) < len(leaf.events):
                return


def followed(room: Room, marks: Sequence[Mark]) -> Room:
    """The room as its bookmark will be once these marks are written."""
    mark = room.bookmark
    for moved in marks:
        match moved:
            case CaughtUp(create_at=at, post_id=id, filled_for=number):
                if at > mark.mark_at:
                    mark = replace(mark, mark_id=id, mark_at=at)
                mark = replace(mark, filled_for=max(mark.filled_for, number or 0))
            case WalkedBack(post_id=id, is_done=is_done):
                mark = replace(mark, history_id=id, is_history_done=is_done)
            case EditsRead(until=until, walk_post_id=walk):
                until = until or mark.edits_until
                mark = replace(mark, edits_until=until, edits_walk_id=walk)
            case ReadAnew():
                mark = replace(
                    mark,
                    mark_id=moved.post_id,
                    mark_at=moved.create_at,
                    filled_for=max(mark.filled_for, moved.filled_for or 0),
                    edits_until=moved.edits_until,
                    edits_walk_id=moved.edits_walk_id,
                    history_id="",
                    is_history_done=False,
                )
            case Looked(messages=messages, last_post_at=at):
                mark = replace(mark, messages=messages, last_post_at=at)
    return replace(room, bookmark=mark)


def _back(room: Room, anchor: Place, is_done: bool = False) -> WalkedBack:
    return WalkedBack(SOURCE, room.id, anchor.id, anchor.at, is_done)


def _head(room: Room, newest: Sequence[Event], now: int) -> Place:
    """The newest post; one that claims to be of the future counts as of now."""
    if not newest:
        return Place(room.bookmark.mark_id, room.bookmark.mark_at)
    post = post_of(newest[0])
    return Place(post.id, min(post.create_at, now))


def _not_before(since_ms: int, events: Sequence[Event]) -> Sequence[Event]:
    return [event for event in events if post_of(event).create_at >= since_ms]
