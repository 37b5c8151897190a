"""The archive as it is read out: orders, what belongs to a post, one moment."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from malexbot.storage.database import Database
from malexbot.storage.export import (
    FETCHED,
    Kept,
    Place,
    Reaction,
    Share,
    Snapshot,
    Version,
    snapshot,
)
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look
from tests.storage.happenings import deleted_row, edited, kept, passing, post, posted
from tests.storage.happenings import reacted as marked

MANY = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, raw, kept_from)
SELECT 'p' || n, 'channel' || n %% 3, 'u', '', '', repeat('x', 1000), n, n, 0, '{}', 0
FROM generate_series(1, %s) n
"""


@pytest.fixture
def archive(database: Database) -> Iterator[Snapshot]:
    """Of the moment at which it is first read."""
    with snapshot(database) as opened:
        yield opened


def ids(rows: Iterator[Kept]) -> list[str]:
    return [row.place.id for row in rows]


def say(journal: DatabaseJournal, *posts: tuple[str, int, str], **other: Any) -> None:
    """Posts by id, time and root."""
    said = (post(i, create_at=at, root_id=root, **other) for i, at, root in posts)
    journal.write([kept(*map(posted, said))])


def test_all_that_is_known_of_a_post_comes_with_it(
    journal: DatabaseJournal, archive: Snapshot
) -> None:
    journal.write([kept(posted(post()))])
    for at, text in ((3000, "third"), (2000, "second")):
        journal.write([kept(edited(post(message=text, edit_at=at)))])
    journal.write([passing(marked(at=5000)), kept(deleted_row(at=9000))])
    (row,) = archive.by_time()
    assert (row.post["message"], row.post["edit_at"]) == ("third", 3000)
    assert (row.post["delete_at"], row.post["props"]) == (9000, {"n": 1})
    assert row.versions == [Version(1000, "hello"), Version(2000, "second")]
    assert row.reactions == [Reaction("alice", "tada", 5000)]


def test_reactions_from_before_we_listened_count_until_we_heard_otherwise(
    look: Look, archive: Snapshot
) -> None:
    look(MANY, 1)
    told = [
        {"user_id": who, "emoji_name": "tada", "create_at": at}
        for who, at in (("u1", 100), ("u2", 100), ("u3", 100))
    ]
    raw = orjson.dumps({"metadata": {"reactions": [*told, None, {}]}}).decode()
    look("UPDATE posts SET raw = %s", raw)
    look(
        "INSERT INTO reactions VALUES ('p1', 'u1', 'tada', 0, 200),"
        " ('p1', 'u2', 'tada', 0, 50), ('p1', 'u4', 'eyes', 300, 200),"
        " ('p1', 'u5', 'eyes', 300, 400)"
    )
    (row,) = archive.by_time()
    assert [tuple(reaction) for reaction in row.reactions[1:]] == [
        ("u2", "tada", 100),
        ("u3", "tada", 100),
        ("u4", "eyes", 300),
    ]


def test_by_time_the_channels_are_mixed(
    journal: DatabaseJournal, archive: Snapshot
) -> None:
    say(journal, ("b", 1, ""), ("d", 3, ""), channel_id="c1")
    say(journal, ("c", 2, "x"), ("a", 3, ""), channel_id="c2")
    assert ids(archive.by_time()) == ["b", "c", "a", "d"]
    assert ids(archive.by_time(channel_id="c2")) == ["c", "a"]
    assert ids(archive.by_time(since=2, until=3)) == ["c"]


def test_by_thread_replies_follow_what_they_answer(
    journal: DatabaseJournal, archive: Snapshot
) -> None:
    say(journal, ("r1", 10, ""), ("r2", 20, ""), ("r3", 20, ""))
    say(journal, ("a", 50, "r1"), ("b", 40, "r1"), ("c", 20, "r2"), ("d", 30, "r3"))
    say(journal, ("e", 99, "lost"), ("f", 15, "lost"), ("g", 5, "r1"))
    expected = ["r1", "g", "b", "a", "f", "e", "r2", "c", "r3", "d"]
    assert ids(archive.by_thread("channel1")) == expected
    assert ids(archive.by_thread("elsewhere")) == []
    # of a thread that began before, only what is wanted
    assert ids(archive.by_thread("channel1", since=30, until=60)) == ["b", "a", "d"]


def test_it_goes_on_after_any_place(
    journal: DatabaseJournal, archive: Snapshot
) -> None:
    say(journal, ("r1", 10, ""), ("r2", 10, ""), ("a", 10, "r1"), ("b", 20, "r1"))
    for read in (archive.by_time, lambda **w: archive.by_thread("channel1", **w)):
        whole = [row.place for row in read()]
        for at, place in enumerate(whole):
            assert [row.place for row in read(after=place)] == whole[at + 1 :]
    assert Place() < whole[0]


def test_the_channels_tell_their_share(
    journal: DatabaseJournal, look: Look, archive: Snapshot
) -> None:
    say(journal, ("a", 10, ""), ("b", 30, ""), channel_id="c1")
    say(journal, ("c", 20, ""), channel_id="c2")
    look(
        "INSERT INTO channels (source, channel_id, type, name, display_name)"
        " VALUES ('mattermost', 'c1', 'O', 'town', 'Town')"
    )
    town = Share("c1", "O", "town", "Town", 2, 10, 30)
    assert sorted(archive.shares(), key=lambda s: s.channel_id) == [
        town,
        Share("c2", "", "", "", 1, 20, 20),
    ]
    assert archive.shares(channel_id="c1") == [town]
    assert archive.shares(since=31) == []


def test_it_is_one_moment_however_long_it_takes(
    look: Look, journal: DatabaseJournal, archive: Snapshot
) -> None:
    look(MANY, 2 * FETCHED)
    rows = archive.by_time()
    next(rows)
    journal.write([kept(posted(post("new", create_at=FETCHED)))])
    look("UPDATE posts SET message = 'changed'")
    assert {row.post["message"] for row in rows} == {"x" * 1000}
    assert len(ids(archive.by_time())) == 2 * FETCHED


@pytest.mark.untraced
def test_many_rows_need_little_memory(look: Look, archive: Snapshot) -> None:
    look(MANY, 20_000)
    for rows in (archive.by_time(), archive.by_thread("channel0")):
        next(rows)
        tracemalloc.start()
        try:
            assert sum(1 for _ in rows) > 6_000
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
        finally:
            tracemalloc.stop()


def test_a_reading_that_is_left_gives_its_session_back(
    database: Database, look: Look
) -> None:
    look(MANY, 2000)
    with Database(database.dsn, size=1, wait_s=0.1) as small:
        with snapshot(small) as archive:
            next(archive.by_time())
        with snapshot(small) as archive:
            assert len(archive.shares()) == 3
