"""Paging through a channel so that no post falls between two pages.

`before` and `after` compare create_at strictly, so the posts that share the
millisecond of an anchor are left out of both. An anchor is therefore always the
post next to the last group of a page, and that group is read once more; if a whole
page is one group, the next page of the same anchor is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from malexbot.errors import Transient
from malexbot.events import Event, Post
from malexbot.ports import Bookmark, ChannelNews

# Clocks are corrected by a little all the time, and ours of the server is a guess.
LEAST_SET_BACK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Room:
    """A channel that is listened to: what the server says, and how far it is read."""

    news: ChannelNews
    bookmark: Bookmark
    is_fresh: bool = False
    """Yes: it was not listened to yet when the list of channels was asked for."""
    joined_at: int = 0
    """Since when it is listened to without a break, by the server's clock."""

    @property
    def id(self) -> str:
        return self.news.channel_id

    @property
    def is_unchanged(self) -> bool:
        """Yes: the server counts what it counted when the channel was read last.

        It must have been listened to when the list was asked for: what came live
        before that and was passed by is in the counters.
        """
        mark, news = self.bookmark, self.news
        counted = (mark.messages, mark.last_post_at)
        is_read = mark.edits_until > 0 and not self.is_fresh
        return is_read and counted == (news.messages, news.last_post_at)

    def is_ahead_of(self, now: int) -> bool:
        """Yes: the server's clock was set back since it was read.

        By so little, nothing is lost: every walk begins further back.
        """
        newest = max(self.bookmark.mark_at, self.bookmark.edits_until)
        return newest > now + LEAST_SET_BACK_MS

    @property
    def name(self) -> str:
        return self.news.display_name or self.news.name or self.news.channel_id


class Changes(NamedTuple):
    """Every row changed later: edited, deleted, old versions; or 1000 of them."""

    events: Sequence[Event]
    rows: int
    """How many the server told; some of them may be no events."""


class Pages(Protocol):
    """The posts of a server, newest first, as events; raises the client's failures."""

    def newest(self, room: Room, number: int = 0) -> Sequence[Event]: ...

    def before(
        self, room: Room, anchor_id: str, number: int = 0
    ) -> Sequence[Event]: ...

    def after(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]: ...

    def since(self, room: Room, changed_after: int) -> Changes: ...

    def post(self, room: Room, post_id: str) -> Event | None:
        """None: the server has no such post any more; or it raises `Unreadable`."""
        ...


# A page of an anchor, by its number; in the order of the walk.
PageOf = Callable[["Place", int], Sequence[Event]]


class Shifted(Transient):
    """What a walk held on to is gone: it has to begin again."""


class Place(NamedTuple):
    """A post as a point in the time of its channel."""

    id: str
    at: int


NOWHERE = Place("", 0)


class Leaf(NamedTuple):
    """A page, and the anchor from which the walk goes on behind it."""

    events: Sequence[Event]
    anchor: Place


def post_of(event: Event) -> Post:
    """The post of an event that came from a page; each of them has one."""
    assert event.post is not None
    return event.post


def forward(pages: Pages, room: Room, anchor: Place) -> Iterator[Leaf]:
    """What is newer than the anchor, each leaf oldest first."""

    def page(anchor: Place, number: int) -> Sequence[Event]:
        return pages.after(room, anchor.id, number)[::-1]

    yield from _leaves(page, anchor)


def backward(pages: Pages, room: Room, anchor: Place = NOWHERE) -> Iterator[Leaf]:
    """What is older than the anchor, or everything; each leaf newest first.

    It ends at the beginning of the channel, or raises `Shifted`: an anchor that was
    removed from the database looks like the beginning.
    """

    def page(anchor: Place, number: int) -> Sequence[Event]:
        if anchor.id:
            return pages.before(room, anchor.id, number)
        return pages.newest(room, number)

    anchor, number = yield from _leaves(page, anchor)
    # Behind an anchor of ours there is an older post, so the end is met on its
    # second page or a later one.
    if anchor.id and not number:
        raise Shifted(f"{room.name}: the post {anchor.id} is gone, or all before it")


def _leaves(page_of: PageOf, anchor: Place) -> Generator[Leaf, None, tuple[Place, int]]:
    """Pages that overlap by a group; returns the anchor and number of the empty one.

    The pages of one anchor are counted, so they move up when a post is deleted:
    each is good only if the one before it still ends where it ended.
    """
    number, last_id = 0, ""
    while True:
        page = page_of(anchor, number)
        if number and _last_id(page_of(anchor, number - 1)) != last_id:
            number = 0
            continue
        if not page:
            return anchor, number
        last_id, border = _last_id(page), border_of(page)
        anchor, number = (border, 0) if border.id else (anchor, number + 1)
        yield Leaf(page, anchor)


def _last_id(page: Sequence[Event]) -> str:
    return post_of(page[-1]).id if page else ""


def border_of(page: Sequence[Event]) -> Place:
    """The last post that is not of the last group; nowhere if there is but one."""
    last_at = post_of(page[-1]).create_at if page else 0
    posts = (post_of(event) for event in reversed(page))
    return next(
        (Place(post.id, post.create_at) for post in posts if post.create_at != last_at),
        NOWHERE,
    )
