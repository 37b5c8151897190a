"""What was expected is held against what is there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from malexbot.cli.demo.verdict import (
    ANSWERED,
    DELETED,
    EDITED,
    KEPT,
    NOTHING,
    UNANSWERED,
    Claim,
    Finding,
    answered,
    held,
    strangers,
    table,
)


def claim(*texts: str) -> Claim:
    return Claim("p", list(texts), "", "")


def row(message: str, delete_at: int = 0) -> dict[str, Any]:
    return {"message": message, "delete_at": delete_at}


def test_what_is_there_as_it_was_said_is_kept() -> None:
    assert held(claim("a"), row("a"), []) == KEPT
    assert held(claim("a"), row("a", 7), []) == DELETED
    assert held(claim("a"), None, []) == NOTHING


def test_an_edited_post_is_kept_with_all_that_it_said() -> None:
    assert held(claim("a", "b"), row("b"), ["a"]) == EDITED


@pytest.mark.parametrize(
    ("message", "earlier"), [("b", []), ("a", []), ("b", ["x"]), ("b", ["a", "a"])]
)
def test_a_text_that_is_missing_or_wrong_is_seen(
    message: str, earlier: list[str]
) -> None:
    assert held(claim("a", "b"), row(message), earlier) != EDITED


def test_an_answer_counts_if_it_is_there_once() -> None:
    assert answered(1, KEPT) == ANSWERED
    assert answered(0, NOTHING) == UNANSWERED
    assert answered(2, KEPT) not in (ANSWERED, UNANSWERED)
    assert answered(1, NOTHING) != ANSWERED


def test_a_row_that_nobody_posted_is_found() -> None:
    (found,) = strangers({"a": 1, "b": 2}, ["a", "c"])
    assert found.post == "b"
    assert not found.agrees


def test_the_table_marks_what_does_not_agree() -> None:
    paper = io.StringIO()
    findings = [
        Finding("[bold]hello[/]", "live", KEPT, KEPT),
        Finding("a " * 60, "live", KEPT, NOTHING),
    ]
    Console(file=paper, width=80).print(table(findings))
    head, good, bad = paper.getvalue().splitlines()
    assert "archive holds" in head
    assert good.startswith("[bold]hello[/]") and good.endswith("✓")
    assert "…" in bad and bad.endswith("✗")
    assert len(bad) <= 80
