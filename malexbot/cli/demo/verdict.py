"""What was expected, what the archive holds, and whether the two agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from malexbot.cli.demo.telling import plain

_WIDEST_POST = 26

NOTHING = "nothing"
KEPT = "kept"
EDITED = "new + old text"
DELETED = "kept, deleted"
ANSWERED = "once, kept"
UNANSWERED = "no answer"


@dataclass(slots=True)
class Claim:
    """A post of the script, and what the archive should hold of it in the end."""

    post_id: str
    texts: list[str]
    """All that it said, in order."""
    happened: str
    expected: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    post: str
    happened: str
    expected: str
    found: str

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


def held(claim: Claim, row: Mapping[str, Any] | None, earlier: Sequence[str]) -> str:
    """What the archive holds of a post; `earlier` is what it says it said before."""
    if row is None:
        return NOTHING
    if row["message"] != claim.texts[-1]:
        words = "another text"
    elif len(claim.texts) == 1:
        words = KEPT
    else:
        words = EDITED if list(earlier) == claim.texts[:-1] else "only new text"
    return f"{words}, deleted" if row["delete_at"] else words


def answered(times: int, holds: str) -> str:
    """How an answer fared."""
    if times == 0:
        return UNANSWERED
    return f"{'once' if times == 1 else f'{times} times'}, {holds}"


def strangers(rows: Iterable[str], known: Iterable[str]) -> list[Finding]:
    """What the archive holds though nobody posted it."""
    return [
        Finding(post_id, "never posted", NOTHING, "a post")
        for post_id in sorted(set(rows) - set(known))
    ]


def table(findings: Sequence[Finding]) -> Table:
    """For a person; in 80 columns each stands on one line."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    drawn.add_column("post", no_wrap=True, overflow="ellipsis", max_width=_WIDEST_POST)
    for name in ("what happened", "expected", "archive holds", ""):
        drawn.add_column(name)
    for each in findings:
        mark = Text("✓", "green") if each.agrees else Text("✗", "bold red")
        cells = (each.post, each.happened, each.expected, each.found)
        drawn.add_row(*(Text(plain(cell)) for cell in cells), mark)
    return drawn
