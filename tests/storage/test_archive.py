"""The archive as it is read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from malexbot.ports import CaughtUp, ChannelNews, Looked, Parcel, Reject
from malexbot.storage.archive import Archive
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.happenings import deleted_row, edited, kept, post, posted

MANY = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, raw, kept_from)
SELECT 'p' || n, 'channel' || n %% 3, 'u', '', '', repeat('x', 1000), n, n, 0, '{}', 0
FROM generate_series(1, %s) n
"""


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


def test_rows_have_mattermosts_names_and_the_latest_text(
    journal: DatabaseJournal, archive: Archive
) -> None:
    journal.write([kept(posted(post()))])
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    (row,) = archive.export()
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
    (row,) = archive.export()
    assert (row["message"], row["delete_at"]) == ("hello", 9000)


def test_rows_come_by_channel_and_time(
    journal: DatabaseJournal, archive: Archive
) -> None:
    places = [("b", 1), ("a", 3), ("b", 5), ("a", 2), ("c", 4)]
    journal.write(
        [
            kept(
                *(
                    posted(post(c + str(t), create_at=t, channel_id=c))
                    for c, t in places
                )
            )
        ]
    )

    def ids(rows: Iterator[object]) -> list[str]:
        return [row["id"] for row in rows]  # type: ignore[index]

    assert ids(archive.export()) == ["a2", "a3", "b1", "b5", "c4"]
    assert ids(archive.export(channel_id="b")) == ["b1", "b5"]
    assert ids(archive.export(since=2, until=5)) == ["a2", "a3", "c4"]


def test_a_large_export_needs_little_memory(archive: Archive, look: Look) -> None:
    look(MANY, 20_000)
    rows = archive.export()
    next(rows)
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows) == 19_999
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_an_export_is_one_moment_of_the_archive(
    archive: Archive, look: Look, journal: DatabaseJournal
) -> None:
    look(MANY, 2000)
    rows = archive.export()
    next(rows)
    journal.write([kept(posted(post("new", channel_id="channel9")))])
    assert sum(1 for _ in rows) == 1999
    assert sum(1 for _ in archive.export()) == 2001


def test_an_export_that_is_left_gives_its_session_back(
    migrated_database: object, database: Database, look: Look
) -> None:
    look(MANY, 2000)
    with Database(database.dsn, size=1, wait_s=0.1) as small:
        rows = Archive(small).export()
        next(rows)
        rows.close()  # type: ignore[attr-defined]
        assert next(Archive(small).export(channel_id="nowhere"), None) is None


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
