"""Reading the posts of a channel, with all that is odd about it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from malexbot.sandbox.content import Post
from malexbot.sandbox.model import Json
from malexbot.sandbox.view import View
from malexbot.sandbox.world import World

# After every id, so that (create_at, _LAST) lies behind all posts of a millisecond.
_LAST = "~"


@dataclass(frozen=True)
class Page:
    """How many posts, and how many pages further on."""

    number: int = 0
    size: int = 60


@dataclass(frozen=True)
class Pages:
    """Each method makes the answer to one kind of GET /channels/{id}/posts."""

    world: World
    view: View

    def newest(self, channel_id: str, page: Page) -> Json:
        timeline = self._timeline(channel_id)
        end = max(0, len(timeline) - page.number * page.size)
        order = [id for _, id in reversed(timeline[max(0, end - page.size) : end])]
        return self._answer(
            channel_id, order, self._next(channel_id, order), self._prev(order)
        )

    def before(self, channel_id: str, anchor_id: str, page: Page) -> Json:
        """Older than the anchor; those of its own millisecond are left out."""
        anchor = self.world.posts.get(anchor_id)
        order: list[str] = []
        if anchor is not None:
            timeline = self._timeline(channel_id)
            end = bisect_left(timeline, (anchor.create_at, ""))
            end = max(0, end - page.number * page.size)
            order = [id for _, id in reversed(timeline[max(0, end - page.size) : end])]
        newer = self._next(channel_id, order) if page.number else anchor_id
        older = "" if len(order) < page.size else self._prev(order)
        return self._answer(channel_id, order, newer, older)

    def after(self, channel_id: str, anchor_id: str, page: Page) -> Json:
        """Directly newer than the anchor, still newest first."""
        anchor = self.world.posts.get(anchor_id)
        order: list[str] = []
        if anchor is not None:
            timeline = self._timeline(channel_id)
            start = bisect_right(timeline, (anchor.create_at, _LAST))
            start += page.number * page.size
            order = [id for _, id in reversed(timeline[start : start + page.size])]
        newer = "" if len(order) < page.size else self._next(channel_id, order)
        older = self._prev(order) if page.number else anchor_id
        return self._answer(channel_id, order, newer, older)

    def since(self, channel_id: str, since_ms: int) -> Json:
        """All rows changed later; beyond the limit it is the database that chooses."""
        rows = (
            self.world.posts[id] for id in self.world.index.rows.get(channel_id, {})
        )
        changed = (row for row in rows if row.update_at > since_ms)
        found = list(islice(changed, self.world.settings.since_limit))
        found.sort(key=lambda post: (post.create_at, post.id), reverse=True)
        shown = {post.id: post for post in found}
        for post in found:
            root = self.world.posts.get(post.root_id)
            if root is not None:
                shown[root.id] = root
        posts = {id: self.view.post(shown[id], counts_replies=False) for id in shown}
        return _listing([post.id for post in found], posts)

    def thread(self, post: Post) -> Json:
        """The asked post first, then the whole thread with it once more."""
        root_id = post.root_id or post.id
        whole = [
            row
            for row in map(self.world.posts.get, [root_id, *self._replies(root_id)])
            if row is not None and row.is_live
        ]
        posts = {row.id: self.view.post(row) for row in whole}
        return _listing([post.id, *(row.id for row in whole)], posts)

    def pinned(self, channel_id: str) -> Json:
        timeline = self._timeline(channel_id)
        order = [id for _, id in reversed(timeline) if self.world.posts[id].is_pinned]
        return _listing(
            order, {id: self.view.post(self.world.posts[id]) for id in order}
        )

    def changed_at(self, channel_id: str) -> int:
        """The newest change in the channel: its ETag, the same for every page."""
        return self.world.index.changed_at.get(channel_id, 0)

    def _timeline(self, channel_id: str) -> list[tuple[int, str]]:
        return self.world.index.timelines.get(channel_id, [])

    def _replies(self, root_id: str) -> list[str]:
        return self.world.index.replies.get(root_id, [])

    def _next(self, channel_id: str, order: list[str]) -> str:
        """The post just newer than the page."""
        if not order:
            return ""
        timeline = self._timeline(channel_id)
        newest = self.world.posts[order[0]].create_at
        at = bisect_right(timeline, (newest, _LAST))
        return timeline[at][1] if at < len(timeline) else ""

    def _prev(self, order: list[str]) -> str:
        """The post just older than the page."""
        if not order:
            return ""
        oldest = self.world.posts[order[-1]]
        timeline = self._timeline(oldest.channel_id)
        at = bisect_left(timeline, (oldest.create_at, ""))
        return timeline[at - 1][1] if at else ""

    def _answer(
        self, channel_id: str, order: list[str], newer: str, older: str
    ) -> Json:
        """The posts of the page and the threads that they belong to."""
        ids: dict[str, None] = dict.fromkeys(order)
        for id in order:
            root_id = self.world.posts[id].root_id or id
            ids |= dict.fromkeys([root_id, *self._replies(root_id)])
        posts = {row.id: self.view.post(row) for row in self._live(ids)}
        return _listing(order, posts) | {"next_post_id": newer, "prev_post_id": older}

    def _live(self, ids: Iterable[str]) -> Iterable[Post]:
        rows = (self.world.posts.get(id) for id in ids)
        return (row for row in rows if row is not None and row.is_live)


def _listing(order: list[str], posts: dict[str, Json]) -> Json:
    return {"order": order, "posts": posts, "next_post_id": "", "prev_post_id": ""}
