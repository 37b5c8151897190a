"""The archive as it is read."""

from __future__ import annotations

import pytest

from malexbot.ports import CaughtUp, ChannelNews, Looked, Parcel, Reject
from malexbot.storage.archive import Archive
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.happenings import deleted_row, edited, kept, post, posted


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


def test_rows_have_mattermosts_names_and_the_latest_text(
    journal: DatabaseJournal, archive: Archive
) -> None:
    journal.write([kept(posted(post()))])
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    (row,) = archive.posts()
    assert row == {
        "id": "p1",
        "create_at": 1000,
        "update_at": 2000,
        "edit_at": 2000,
        "delete_at": 0,
        "user_id": "alice",
        "channel_id": "channel1",
        "root_id": "",
        "original_id": "",
        "type": "",
        "message": "second",
        "props": {"n": 1},
    }


def test_what_a_post_said_before_is_told_in_order(
    journal: DatabaseJournal, archive: Archive
) -> None:
    journal.write([kept(posted(post()))])
    for at, text in ((3000, "third"), (2000, "second")):
        journal.write([kept(edited(post(message=text, edit_at=at)))])
    assert archive.earlier_texts("p1") == ["hello", "second"]
    assert archive.earlier_texts("nobody's") == []


def test_deleted_posts_are_told_with_their_time(
    journal: DatabaseJournal, archive: Archive
) -> None:
    journal.write([kept(posted(post())), kept(deleted_row(at=9000))])
    (row,) = archive.posts()
    assert (row["message"], row["delete_at"]) == ("hello", 9000)


def test_posts_come_in_the_order_of_time(
    journal: DatabaseJournal, archive: Archive
) -> None:
    places = [("b", 5), ("a", 2), ("c", 3)]
    said = (post(f"p{at}", create_at=at, channel_id=c) for c, at in places)
    journal.write([kept(*map(posted, said))])
    assert [row["id"] for row in archive.posts()] == ["p2", "p3", "p5"]
    assert [row["id"] for row in archive.posts(since=3)] == ["p3", "p5"]


def test_the_lag_of_a_channel_is_what_is_not_archived_yet(
    database: Database,
    leadership: Leadership,
    journal: DatabaseJournal,
    archive: Archive,
) -> None:
    bookmarks = DatabaseBookmarks(database, epoch=lambda: leadership.epoch)
    news = ChannelNews("channel1", "t", "O", "town", "Town Square", 0, 0)
    bookmarks.note("mattermost", [news])
    where = ("mattermost", "channel1")
    journal.write([Parcel(marks=[Looked(*where, 9, 5000)])])
    journal.write([Parcel(marks=[CaughtUp(*where, "p1", 1000, 1)])])
    (found,) = archive.channels()
    assert (found.name, found.mark_at, found.lag_ms) == ("Town Square", 1000, 4000)
    journal.write([kept(posted(post("p9", create_at=9000)))])
    assert [channel.lag_ms for channel in archive.channels()] == [0]


def test_open_gaps_and_rejects_are_told(
    database: Database,
    leadership: Leadership,
    journal: DatabaseJournal,
    archive: Archive,
) -> None:
    bookmarks = DatabaseBookmarks(database, epoch=lambda: leadership.epoch)
    bookmarks.open_gap("mattermost", "channel1", "posts", "cut")
    bookmarks.open_gap("mattermost", "channel2", "edits", "1000 rows")
    bookmarks.close_gap("mattermost", "channel1", "posts")
    assert [(gap.channel_id, gap.kind, gap.name) for gap in archive.gaps()] == [
        ("channel2", "edits", "")
    ]
    assert archive.rejects() == 0
    journal.write([Parcel(rejects=[Reject("mattermost", b"?", "no frame")])])
    assert archive.rejects() == 1
