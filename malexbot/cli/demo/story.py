"""The story of the posts, as it goes on: who says what, and what of it is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import NamedTuple

from malexbot.cli.demo.conversation import SECRET
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import KEPT, LATE, LEFT_OUT, Teller, named
from malexbot.sandbox.ledger import Entry, Ledger

# A post that the archive should not have might still come into it meanwhile.
_GRACE_S = 0.5
# Longer than malexbot takes; what is not kept by then waits for it.
_PATIENCE_S = 1.5


class Happening(NamedTuple):
    """Something that was done to a post."""

    post_id: str
    user_id: str
    what: str
    text: str
    create_at: int
    """Of the post."""
    at_s: float
    seen_at: float


class Chronicle:
    """Reads the ledger, and tells each time what is new in it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[int, bool]] = {}

    def news(self) -> list[Happening]:
        return [new for entry in self._ledger.entries() for new in self._of(entry)]

    def _of(self, entry: Entry) -> Iterator[Happening]:
        texts, is_deleted = self._known.get(entry.id, (0, False))
        self._known[entry.id] = len(entry.texts), bool(entry.delete_at)
        for number, text in enumerate(entry.texts[texts:], texts):
            if number:
                yield _happening(entry, text, "edited: ", is_change=True)
            else:
                yield _happening(entry, text, "↳ " if entry.root_id else "")
        if entry.delete_at and not is_deleted:
            yield _happening(entry, entry.text, "deleted: ", is_change=True)


def _happening(
    entry: Entry, text: str, what: str, *, is_change: bool = False
) -> Happening:
    now = time.time()
    return Happening(
        post_id=entry.id,
        user_id=entry.user_id,
        what=what,
        text=text,
        create_at=entry.create_at,
        at_s=now if is_change else entry.create_at / 1000,
        seen_at=now,
    )


class Story:
    """Tells the posts in their order, each with its mark once that is known."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage = stage
        self._teller = teller
        self._chronicle = Chronicle(stage.mattermost.ledger)
        self._waiting: list[Happening] = []
        self._late: list[Happening] = []

    def is_behind(self) -> bool:
        """Yes: something was done of which it has not told yet."""
        self._waiting += self._chronicle.news()
        return bool(self._waiting)

    def look(self) -> None:
        """Tell what can be told by now."""
        if not self.is_behind() and not self._late:
            return
        view = self._view()
        while self._waiting and (mark := view.mark(self._waiting[0])):
            self._tell(self._waiting.pop(0), mark)
        self._tell_late(view)

    def _view(self) -> View:
        since = min(each.create_at for each in self._waiting + self._late)
        rows = self._stage.rows(since)
        lost = self._stage.mattermost.ledger.lost(rows.values())
        return View(
            kept=frozenset(rows),
            lost=frozenset(problem["id"] for problem in lost),
            patience_s=0 if self._stage.is_down else _PATIENCE_S,
        )

    def _tell(self, happening: Happening, mark: str) -> None:
        self._teller.said(
            at_s=happening.at_s,
            who=named(self._stage.names, happening.user_id),
            text=happening.what + happening.text,
            mark=mark,
        )
        if mark == LATE:
            self._late.append(happening)

    def _tell_late(self, view: View) -> None:
        """What had to wait is told once more, all that came at once in one line."""
        came = [each for each in self._late if each.post_id not in view.lost]
        self._late = [each for each in self._late if each.post_id in view.lost]
        if kept := {each.post_id for each in came} & view.kept:
            self._teller.note(f"✓ kept now, of what waited: {len(kept)}", "green")


@dataclass(frozen=True, slots=True)
class View:
    """One look at the archive."""

    kept: Set[str]
    lost: Set[str]
    """What it lacks, or tells wrongly."""
    patience_s: float

    def mark(self, happening: Happening) -> str:
        """How it stands with it; "" is: not known yet."""
        is_there = happening.post_id in self.kept
        if is_there and happening.post_id not in self.lost:
            return KEPT
        age_s = time.time() - happening.seen_at
        if not is_there and SECRET in happening.text and age_s > _GRACE_S:
            return LEFT_OUT
        return LATE if age_s > self.patience_s else ""
