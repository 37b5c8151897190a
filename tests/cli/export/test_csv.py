"""Rows for spreadsheets: RFC 4180, and nothing in them is computed."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from malexbot.cli.export.csv import COLUMNS, Csv, harmless
from malexbot.storage.export import Reaction
from tests.cli.export.made import BOOK, NOON, kept


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(Csv(BOOK).head() + text, newline="")))


def test_a_row_tells_who_said_what_where_and_when() -> None:
    post = kept(
        "hello",
        root_id="p0",
        edit_at=NOON + 1,
        delete_at=NOON + 2,
        reactions=[Reaction("u1", "+1", 1), Reaction("u2", "+1", 2)],
        metadata={"files": [{"id": "f", "name": "a.pdf", "size": 1}]},
    )
    assert read(Csv(BOOK).row(post, None)) == [
        {
            "time": "2025-11-20T12:00:00.000+00:00",
            "channel": "Town Square",
            "person": "alice",
            "message": "hello",
            "thread": "p0",
            "edited": "2025-11-20T12:00:00.001+00:00",
            "deleted": "2025-11-20T12:00:00.002+00:00",
            "reactions": "👍 2",
            "files": "a.pdf",
            "id": "p1",
            "channel_id": "c1",
            "user_id": "u1",
            "link": "https://chat.example.org/_redirect/pl/p1",
        }
    ]


def test_what_is_written_is_rfc_4180() -> None:
    text = Csv(BOOK).head() + Csv(BOOK).row(kept('a "b", c\nd'), None)
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert '"a ""b"", c\nd"' in text and text.endswith("\r\n")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@alice", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "- a list"],
)
def test_nothing_becomes_a_formula(text: str) -> None:
    (row,) = read(Csv(BOOK).row(kept(text, metadata={"files": [{"name": text}]}), None))
    assert row["message"].startswith("'") and row["files"].startswith("'")


@given(some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back_but_for_the_apostrophe(text: str) -> None:
    (row,) = read(Csv(BOOK).row(kept(text), None))
    assert row["message"] == harmless(text.strip("\n"))
    assert harmless(text) in (text, f"'{text}")


def test_harmless_text_stays_as_it_is() -> None:
    for text in ("hello", "1+1", "a=b", "", "'quoted'", "5 - 3"):
        assert harmless(text) == text
