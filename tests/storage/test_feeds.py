"""How far a feed was read, in the transaction of what it told."""

from __future__ import annotations

import time
from typing import Any

import pytest

from malexbot.events import Event, Peer, Reaction, User
from malexbot.ports import Entry, Feed, Lost, Parcel, Polled, Reject
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership, LostLeadership
from tests.storage.conftest import Look

WHERE = ("vk", "218730916")
GAP = Lost(*WHERE, "updates between 3 and 9 are lost: the history is outdated")


@pytest.fixture
def feeds(database: Database, leadership: Leadership) -> DatabaseBookmarks:
    return DatabaseBookmarks(database, epoch=lambda: leadership.epoch)


def polled(ts: str, *, ago_s: float = 0.0) -> Polled:
    return Polled(*WHERE, ts, time.monotonic() - ago_s)


def told(event_id: str, **parts: Any) -> Entry:
    event = Event(
        event_id=event_id,
        source="vk",
        name="message_new",
        event_type="message",
        peer=Peer(2_000_000_001, 1),
        user=User(1001, nick="annalind"),
        occurred_at=1000,
        origin="live",
        connection=1,
        raw=b"{}",
    )
    return Entry(event._replace(**parts), False, ["route"], is_archived=False)


def test_a_feed_goes_on_where_it_was_read_to(
    journal: DatabaseJournal, feeds: DatabaseBookmarks
) -> None:
    assert feeds.feed(*WHERE) is None
    journal.write([Parcel(marks=[polled("3", ago_s=60)])])
    read = feeds.feed(*WHERE)
    assert read is not None and read.ts == "3"
    assert 60 <= read.answered_ago_s < 90
    # VK may begin to count anew.
    journal.write([Parcel(marks=[polled("2")])])
    assert feeds.feed(*WHERE) == Feed("2", pytest.approx(0, abs=30))
    assert feeds.feed("vk", "7") is None


def test_what_was_told_and_the_mark_are_one(
    journal: DatabaseJournal, feeds: DatabaseBookmarks, look: Look
) -> None:
    odd = Reject("vk", b"{", "no event")
    parcel = Parcel([told("e1"), told("e2")], [polled("2")], [odd])
    for _ in range(2):
        journal.write([parcel])
    assert look("SELECT event_id, name FROM jobs ORDER BY id") == [
        ("e1", "route"),
        ("e2", "route"),
    ]
    assert look("SELECT source, reason FROM rejects") == [("vk", "no event")]
    assert feeds.feed(*WHERE) is not None


def test_an_event_that_cannot_be_kept_holds_up_neither_the_others_nor_the_mark(
    journal: DatabaseJournal, feeds: DatabaseBookmarks, look: Look
) -> None:
    bad = told("bad", data={"text": "a\ud800b"})
    journal.write([Parcel([told("e1"), bad, told("e2")], [GAP, polled("9")])])
    assert look("SELECT event_id FROM jobs ORDER BY id") == [("e1",), ("e2",)]
    assert look.one("SELECT count(*) FROM rejects") == 1
    assert look.one("SELECT count(*) FROM gaps") == 1
    assert feeds.feed(*WHERE) == Feed("9", pytest.approx(0, abs=30))


def test_a_gap_is_told_once_and_closed(journal: DatabaseJournal, look: Look) -> None:
    journal.write([Parcel(marks=[polled("3", ago_s=600)])])
    for _ in range(2):
        journal.write([Parcel(marks=[GAP, polled("9")])])
    journal.write([Parcel(marks=[GAP._replace(reason="more"), polled("12")])])
    assert look(
        "SELECT reason, closed_at IS NOT NULL, closed_at - opened_at > '500 s'"
        " FROM gaps ORDER BY id"
    ) == [(GAP.reason, True, True), ("more", True, False)]


def test_a_reaction_of_another_messenger_is_no_part_of_the_archive(
    journal: DatabaseJournal, look: Look
) -> None:
    reaction = Reaction(17, 4)
    journal.write([Parcel([told("e1", event_type="reaction", reaction=reaction)])])
    assert look.one("SELECT count(*) FROM jobs") == 1
    assert look.one("SELECT count(*) FROM rejects") == 0
    assert look.one("SELECT count(*) FROM echoes") == 0


def test_who_is_not_the_active_daemon_moves_nothing(
    journal: DatabaseJournal, leadership: Leadership, feeds: DatabaseBookmarks
) -> None:
    leadership.close()
    with pytest.raises(LostLeadership):
        journal.write([Parcel([told("e1")], [polled("2")])])
    assert feeds.feed(*WHERE) is None
