"""Whatever comes, in whatever order, how often and in what batches: one archive.

A server has a history: posts that are edited, pinned, deleted and reacted to. The
archive is told of it by rows, live and from pages, and has to hold what the rows
say, as a simple model reads them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.events import Event, Post
from malexbot.ports import Entry, Parcel
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look
from tests.storage.happenings import (
    deleted,
    deleted_row,
    edited,
    old_version,
    post,
    posted,
    reacted,
)

MATCH = "urgent"
WORDS = (MATCH, f"very {MATCH}", "dull", "calm")
EXAMPLES = 150
_numbers = itertools.count()


class Life(NamedTuple):
    """A post and what became of it; texts[n] was written at n * 1000."""

    post_id: str
    root_id: str
    texts: Sequence[str]
    pinned_at: int
    deleted_at: int
    shows_old: bool
    """Whether old versions come with their texts; real servers hide them."""

    def at(self, n: int, **other: Any) -> Post:
        told: dict[str, Any] = {"edit_at": n * 1000, "root_id": self.root_id} | other
        return post(self.post_id, self.texts[n], create_at=500, **told)

    def rows(self) -> list[Event]:
        last = len(self.texts) - 1
        rows = [posted(self.at(0)), posted(self.at(last), origin="backfill")]
        for n in range(1, last + 1):
            rows.append(edited(self.at(n)))
            before = self._old(n - 1)
            rows.append(old_version(self.post_id, before, n * 1000 - 1000, n * 1000))
        if self.pinned_at:
            pin = self.at(last, update_at=self.pinned_at)
            rows.append(edited(pin))
            text, at = self._old(last), last * 1000
            rows.append(old_version(self.post_id, text, at, self.pinned_at))
        for at, removed in ((6000, False), (7000, True), (8000, False)):
            rows.append(reacted(self.post_id, at=at, removed=removed))
        if self.deleted_at:
            rows.append(deleted(self.at(last), at=self.deleted_at + 3))
            rows.append(deleted_row(self.post_id, at=self.deleted_at))
        return rows

    def _old(self, n: int) -> str:
        return self.texts[n] if self.shows_old else ""


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """A root and its replies, at least one of them."""
    family = f"f{next(_numbers)}"
    return [
        Life(
            post_id=f"{family}-{n}",
            root_id=f"{family}-0" if n else "",
            texts=draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)),
            pinned_at=draw(st.sampled_from([0, 20_000])),
            deleted_at=draw(st.sampled_from([0, 0, 30_000 + n])),
            shows_old=draw(st.booleans()),
        )
        for n in range(draw(st.integers(1, 3)))
    ]


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Event]]:
    """Some of the rows, some of them twice, shuffled and cut into batches.

    The last content is always among them: a live deletion tells it only to those who
    have nothing yet.
    """
    rows = [
        row
        for life in draw(lives())
        for row in life.rows()
        if _is_last(row, life) or draw(st.booleans())
    ]
    twice = draw(st.lists(st.sampled_from(rows), max_size=5))
    shuffled = draw(st.permutations(rows + twice))
    cuts = draw(st.lists(st.integers(0, len(shuffled)), max_size=6))
    borders = [0, *sorted(cuts), len(shuffled)]
    return [list(shuffled[a:b]) for a, b in itertools.pairwise(borders)]


def _is_last(row: Event, life: Life) -> bool:
    return row.origin == "backfill" and row.event_id == life.post_id


def is_kept(event: Event) -> bool:
    return event.post is not None and MATCH in event.post.message


class Model:
    """What the rows say of one post, all of them at once."""

    def __init__(self, post_id: str, rows: Sequence[Event]) -> None:
        self.rows = rows
        self.contents: dict[int, str] = {}
        self.kept: set[int] = set()
        self.old: dict[int, str] = {}
        self.deleted: list[int] = []
        for row in rows:
            if row.post is not None and post_id in (row.post.id, row.post.original_id):
                self._read(row, row.post)
        self.reactions = [
            row for row in rows if row.reaction and row.reaction.cmid == post_id
        ]

    def _read(self, row: Event, about: Post) -> None:
        if about.original_id:
            self.old[about.edit_at] = about.message
        elif row.name == "post_deleted":
            self.deleted.append(about.delete_at or row.occurred_at)
        else:
            self.contents[about.edit_at] = about.message
            if is_kept(row):
                self.kept.add(about.edit_at)

    def told(self, root: Model | None) -> dict[str, Any] | None:
        """What the archive has to hold; None for nothing."""
        if not self.kept:
            return None
        latest, since = max(self.contents), min(self.kept)
        versions = {e: t for e, t in self.contents.items() if since <= e < latest}
        old = {e: t for e, t in self.old.items() if e != latest}
        versions |= {e: t or versions.get(e, "") for e, t in old.items()}
        deleted = self.deleted + (root.deleted if root else [])
        return {
            "message": self.contents[latest],
            "edit_at": latest,
            "delete_at": min(deleted, default=0),
            "versions": sorted(versions.items()),
            "reaction": self._reaction(),
        }

    def _reaction(self) -> tuple[int, int] | None:
        added = [r.occurred_at for r in self.reactions if r.reaction and r.reaction.rid]
        times = [r.occurred_at for r in self.reactions]
        removed = [at for at in times if at not in added]
        if not times:
            return None
        return max(added, default=0), max(removed, default=0)


def found(look: Look, post_id: str) -> dict[str, Any] | None:
    rows = look("SELECT message, edit_at, delete_at FROM posts WHERE id = %s", post_id)
    if not rows:
        return None
    reactions = look(
        "SELECT added_at, removed_at FROM reactions WHERE post_id = %s", post_id
    )
    versions = look(
        "SELECT edit_at, message FROM post_versions WHERE post_id = %s ORDER BY 1",
        post_id,
    )
    return dict(
        zip(("message", "edit_at", "delete_at"), rows[0], strict=True),
        versions=versions,
        reaction=reactions[0] if reactions else None,
    )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries())
def test_the_archive_holds_what_the_rows_say(
    journal: DatabaseJournal, look: Look, batches: list[list[Event]]
) -> None:
    for batch in batches:
        journal.write([Parcel([Entry(row, is_kept(row)) for row in batch])])
    rows = [row for batch in batches for row in batch]
    ids = {row.post.id for row in rows if row.post and not row.post.original_id}
    models = {post_id: Model(post_id, rows) for post_id in ids}
    for post_id, model in models.items():
        root = models.get(post_id.partition("-")[0] + "-0")
        told = model.told(root if root is not model else None)
        assert found(look, post_id) == told, post_id
