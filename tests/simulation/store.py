"""A model of the database: one commit at a time, and nothing in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from malexbot.events import Event, Post
from malexbot.ports import (
    Bookmark,
    CaughtUp,
    ChannelNews,
    EditsRead,
    Looked,
    Mark,
    Vanished,
    WalkedBack,
)

BLANK = Bookmark("", "", "", 0, 0, "", False, 0, "", 0, 0)


@dataclass(slots=True)
class Store:
    """What survives a crash. Implements ports.Bookmarks, and writes parcels."""

    posts: dict[str, Post] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """What was deleted, archived or not: a deletion may overtake its post."""
    marks: dict[str, Bookmark] = field(default_factory=dict)
    number: int = 0
    gaps: dict[tuple[str, str], str] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    noted: dict[str, ChannelNews] = field(default_factory=dict)
    is_strict: bool = True
    """No: live posts raise the mark of a channel that is not filled for them."""
    on_commit: Callable[[], None] = lambda: None
    keeps: Callable[[str], bool] = lambda text: True
    """The filter; what was kept once follows the life of its post."""

    def write(self, events: Sequence[Event], marks: Sequence[Mark]) -> None:
        for event in events:
            self._merge(event)
        for mark in marks:
            self._move(mark)
        for event in events:
            self._raise_mark(event)
        self.on_commit()

    def living(self, channel_id: str) -> dict[str, Post]:
        return {
            id: post
            for id, post in self.posts.items()
            if post.channel_id == channel_id and id not in self.deleted
        }

    # ports.Bookmarks.

    def open_connection(self, source: str, reason: str) -> int:
        self.number += 1
        return self.number

    def channels(self, source: str) -> dict[str, Bookmark]:
        return dict(self.marks)

    def note(self, source: str, news: Sequence[ChannelNews]) -> None:
        for one in news:
            mark = self.mark(one.channel_id)
            self.marks[one.channel_id] = replace(
                mark,
                name=one.name,
                team_id=one.team_id,
                type=one.type,
                team=one.team or mark.team,
            )
            self.noted[one.channel_id] = one

    def open_gap(self, source: str, channel_id: str, kind: str, reason: str) -> None:
        if (channel_id, kind) not in self.gaps:
            self.told.append((channel_id, kind, reason))
        self.gaps.setdefault((channel_id, kind), reason)

    def open_gaps(
        self, source: str, channel_ids: Sequence[str], kind: str, reason: str
    ) -> None:
        for channel_id in channel_ids:
            self.open_gap(source, channel_id, kind, reason)

    def close_gap(self, source: str, channel_id: str, kind: str) -> None:
        self.gaps.pop((channel_id, kind), None)

    def close_gaps(self, source: str, channel_ids: Sequence[str], kind: str) -> None:
        for channel_id in channel_ids:
            self.close_gap(source, channel_id, kind)

    def archived(
        self, source: str, channel_id: str, *, since: int, until: int
    ) -> dict[str, int]:
        return {
            id: post.edit_at
            for id, post in self.living(channel_id).items()
            if since <= post.create_at <= until
        }

    def oldest(self, source: str, channel_id: str) -> int:
        times = [post.create_at for post in self.living(channel_id).values()]
        return min(times, default=0)

    # The one transaction.

    def mark(self, channel_id: str) -> Bookmark:
        return self.marks.get(channel_id, replace(BLANK, channel_id=channel_id))

    def _merge(self, event: Event) -> None:
        post = event.post
        if post is None or post.original_id:
            return
        if event.name == "post_deleted":
            self.deleted.add(post.id)
        elif post.id not in self.posts:
            if self.keeps(post.message):
                self.posts[post.id] = post
        elif post.edit_at > self.posts[post.id].edit_at:
            self.posts[post.id] = post

    def _move(self, moved: Mark) -> None:
        mark = self.mark(moved.channel_id)
        match moved:
            case CaughtUp(post_id=id, create_at=at, filled_for=number):
                if at > mark.mark_at:
                    mark = replace(mark, mark_id=id, mark_at=at)
                mark = replace(mark, filled_for=max(mark.filled_for, number or 0))
            case WalkedBack(post_id=id, is_done=is_done):
                is_done = mark.is_history_done or is_done
                mark = replace(mark, history_id=id, is_history_done=is_done)
            case EditsRead(until=until, walk_post_id=walk):
                until = until or mark.edits_until
                mark = replace(mark, edits_until=until, edits_walk_id=walk)
            case Looked(messages=messages, last_post_at=at):
                mark = replace(mark, messages=messages, last_post_at=at)
            case Vanished(post_ids=ids):
                self.deleted.update(ids)
        self.marks[moved.channel_id] = mark

    def _raise_mark(self, event: Event) -> None:
        post = event.post
        if post is None or event.name != "posted" or event.origin != "live":
            return
        mark = self.mark(post.channel_id)
        is_filled = mark.filled_for == event.connection
        if post.create_at > mark.mark_at and (is_filled or not self.is_strict):
            mark = replace(mark, mark_id=post.id, mark_at=post.create_at)
            self.marks[post.channel_id] = mark
