"""How an export calls people, channels, files and reactions."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.cli.export.book import Book, File, clock, counted, files, readable_size
from malexbot.storage.export import Reaction, Share
from tests.cli.export.made import BOOK, NOON, TOWN, kept


def share(type: str = "O", name: str = "", display: str = "") -> Share:
    return Share("c9", type, name, display, 1, NOON, NOON)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        (TOWN, "Town Square"),
        (share(name="town"), "town"),
        (share(), "c9"),
        (share("D", "u1__u2"), "alice, bob"),
        (share("D", "u1__u1"), "alice"),
        (share("D", "u1__u9", "ignored"), "alice, u9"),
        (share("G", "hash", "alice, bob, carol"), "alice, bob, carol"),
    ],
)
def test_a_channel_is_called_as_people_call_it(channel: Share, name: str) -> None:
    assert BOOK.channel(channel) == name


def test_a_book_is_called_by_what_is_in_it() -> None:
    assert BOOK.title == "Archive of chat.example.org"
    assert Book([TOWN], {}, "https://a.example/chat").title == (
        "Town Square on a.example/chat"
    )
    assert (Book([], {}).title, Book([], {}).span) == ("Archive of Mattermost", "")
    assert BOOK.posts == 3


def test_a_webhook_speaks_for_whom_it_says() -> None:
    props = {"from_webhook": "true", "override_username": "CI"}
    assert BOOK.author(kept(props=props).post) == "CI"
    assert BOOK.author(kept(props={"override_username": "CI"}).post) == "alice"
    assert BOOK.author(kept(user_id="u9").post) == "u9"
    props["override_username"] = 5  # type: ignore[assignment]
    assert BOOK.author(kept(props=props).post) == "alice"


def test_reactions_are_counted_by_emoji_in_their_order() -> None:
    marks = BOOK.marks(
        kept(
            reactions=[
                Reaction("u1", "tada", 1),
                Reaction("u2", "own_emoji", 2),
                Reaction("u2", "tada", 3),
            ]
        )
    )
    assert [(m.sign, list(m.people)) for m in marks] == [
        ("🎉", ["alice", "bob"]),
        (":own_emoji:", ["bob"]),
    ]


@pytest.mark.parametrize("odd", [None, [], "x", {"files": 5}, {"files": [1, None]}])
def test_files_that_are_told_oddly_are_none(odd: Any) -> None:
    assert list(files({"metadata": odd})) == []


def test_a_file_has_a_name_and_a_size() -> None:
    told = [{"id": "f", "name": "a.pdf", "size": 1500}, {"size": "big"}]
    assert list(files({"metadata": {"files": told}})) == [
        File("f", "a.pdf", "1.5 kB"),
        File("", "a file", ""),
    ]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (15_400, "15 kB"),
        (2_500_000, "2.5 MB"),
        (7.2e12, "7200 GB"),
    ],
)
def test_sizes_are_readable(size: float, told: str) -> None:
    assert readable_size(size) == told


def test_a_time_has_its_day_only_where_it_is_another() -> None:
    assert clock(NOON, "2025-11-20").endswith(":00")
    assert clock(NOON, "2025-11-19").startswith("2025-11-20 ")


def test_numbers_are_readable() -> None:
    assert (counted(1, "post"), counted(0, "post")) == ("1 post", "0 posts")
    assert counted(12345, "post") == "12\u202f345 posts"
