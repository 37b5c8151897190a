"""What was truly posted: the measure that an archive is held against."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from malexbot.sandbox.content import Post
from malexbot.sandbox.model import Json
from malexbot.sandbox.tables import Table


@dataclass(slots=True)
class Entry:
    """The life of one post."""

    id: str
    channel_id: str
    user_id: str
    root_id: str
    create_at: int
    pending_post_id: str
    # The texts in order; the last one is what the post says now.
    texts: list[str]
    # When each of them was written; a clock that is set back may tell them otherwise.
    texts_at: list[int]
    type: str = ""
    props: Json = field(default_factory=dict)
    delete_at: int = 0
    is_gone: bool = False

    @property
    def text(self) -> str:
        return self.texts[-1]

    @property
    def standing_texts(self) -> set[str]:
        """Those not older than the last one: more than it, if the clock went back."""
        times = zip(self.texts, self.texts_at, strict=True)
        return {text for text, at in times if at >= self.texts_at[-1]}


class Ledger:
    """Every post that was saved, with its edits, its end, and its answers."""

    def __init__(self, lock: threading.RLock) -> None:
        """`lock`: the world's; what is written is written under it already."""
        self.table = Table("ledger", Entry)
        self._lock = lock

    # Written by the world.

    def posted(self, post: Post, pending_post_id: str) -> None:
        self.table.put(
            Entry(
                id=post.id,
                channel_id=post.channel_id,
                user_id=post.user_id,
                root_id=post.root_id,
                create_at=post.create_at,
                pending_post_id=pending_post_id,
                texts=[post.message],
                texts_at=[post.create_at],
                type=post.type,
                props=post.props,
            )
        )

    def edited(self, post: Post) -> None:
        entry = self.table[post.id]
        entry.props = post.props
        if entry.text != post.message:
            entry.texts.append(post.message)
            entry.texts_at.append(post.edit_at)
        self.table.put(entry)

    def deleted(self, post: Post) -> None:
        entry = self.table[post.id]
        entry.delete_at = post.delete_at
        self.table.put(entry)

    def erased(self, post_id: str) -> None:
        """Hard deleted: an archive may have it or not."""
        entry = self.table[post_id]
        entry.is_gone = True
        self.table.put(entry)

    def take_up(self, posts: Iterable[Post]) -> None:
        """What a kill has cut off between the change of a post and ours."""
        for post in posts:
            if post.original_id:
                continue
            if post.id not in self.table:
                self.posted(post, "")
            if self.table[post.id].text != post.message:
                self.edited(post)
            if self.table[post.id].delete_at != post.delete_at:
                self.deleted(post)

    # Asked by tests.

    def entries(
        self, *, channel_id: str = "", user_id: str = "", contains: str = ""
    ) -> list[Entry]:
        """What people and bots wrote (no system messages), oldest first."""
        with self._lock:
            all_entries = list(self.table)
        found = (
            entry
            for entry in all_entries
            if not entry.type.startswith("system_")
            and channel_id in ("", entry.channel_id)
            and user_id in ("", entry.user_id)
            and any(contains in text for text in entry.texts)
        )
        return sorted(found, key=lambda entry: entry.create_at)

    def said(self, user_id: str) -> list[Entry]:
        """What somebody wrote, as it was saved: a clock may tell another order."""
        with self._lock:
            return [entry for entry in self.table if entry.user_id == user_id]

    def lost(
        self,
        archived: Iterable[Mapping[str, Any]],
        *,
        channel_id: str = "",
        contains: str = "",
    ) -> list[Json]:
        """What the rows of an archive lack or tell wrongly; `why` says which.

        A row has `id`, `message` and `delete_at` (None and 0 both mean "lives").
        """
        rows = {row["id"]: row for row in archived}
        wanted = self.entries(channel_id=channel_id, contains=contains)
        problems = ((entry, _problem(entry, rows.get(entry.id))) for entry in wanted)
        return [
            {"id": entry.id, "why": why, "text": entry.text}
            for entry, why in problems
            if why
        ]

    def doubled(self, archived: Iterable[Mapping[str, Any]]) -> list[str]:
        """The post ids that an archive holds more than once."""
        counts = Counter(row["id"] for row in archived)
        return [post_id for post_id, count in counts.items() if count > 1]

    def answers(self, question_id: str, *, by: str = "") -> list[Entry]:
        """The posts that answer a question: in its thread, or naming it in a prop."""
        with self._lock:
            question = self.table[question_id]
            entries = list(self.table)
        return [
            entry
            for entry in entries
            if entry.id != question_id
            and entry.user_id != question.user_id
            and by in ("", entry.user_id)
            and (entry.root_id == question_id or question_id in _texts(entry.props))
        ]

    def repeated(self) -> dict[str, list[str]]:
        """Pending post ids under which more than one post was saved."""
        ids: dict[str, list[str]] = {}
        with self._lock:
            entries = list(self.table)
        for entry in entries:
            if entry.pending_post_id:
                ids.setdefault(entry.pending_post_id, []).append(entry.id)
        return {pending: posts for pending, posts in ids.items() if len(posts) > 1}


def _problem(entry: Entry, row: Mapping[str, Any] | None) -> str:
    if entry.is_gone:
        return ""
    if row is None:
        # Deleted before anybody could see it live: pages hide it for good.
        return "" if entry.delete_at else "missing"
    if bool(row.get("delete_at")) != bool(entry.delete_at):
        return "deletion"
    if not entry.delete_at and row["message"] != entry.text:
        return "text"
    return ""


def _texts(props: Json) -> list[str]:
    """The strings of props, one level of nesting deep."""
    found: list[str] = []
    for value in props.values():
        inner = value.values() if isinstance(value, dict) else [value]
        found += [text for text in inner if isinstance(text, str)]
    return found
