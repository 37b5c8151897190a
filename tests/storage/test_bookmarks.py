"""How far each channel was read: marks, connections, gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from malexbot.errors import Transient
from malexbot.ports import (
    Bookmark,
    CaughtUp,
    ChannelNews,
    EditsRead,
    Looked,
    Mark,
    Parcel,
    ReadAnew,
    WalkedBack,
)
from malexbot.storage import journal as module
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database, Fenced
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.marks import LATEST_S, LateMarks
from tests.storage.conftest import Look
from tests.storage.happenings import (
    deleted,
    deleted_row,
    edited,
    kept,
    passing,
    post,
    posted,
)
from tests.support.fakes import Clock

WHERE = ("mattermost", "channel1")
NEWS = ChannelNews("channel1", "team1", "O", "town", "Town Square", 0, 0)


@pytest.fixture
def bookmarks(database: Database, leadership: Leadership) -> DatabaseBookmarks:
    return DatabaseBookmarks(database, epoch=lambda: leadership.epoch)


def bookmark(bookmarks: DatabaseBookmarks) -> Bookmark:
    return bookmarks.channels("mattermost")["channel1"]


def mark(bookmarks: DatabaseBookmarks) -> tuple[str, int, int]:
    found = bookmark(bookmarks)
    return found.mark_id, found.mark_at, found.filled_for


def marks(*moved: Mark) -> Parcel:
    return Parcel(marks=moved)


def test_connections_have_rising_numbers(
    bookmarks: DatabaseBookmarks, look: Look
) -> None:
    first = bookmarks.open_connection("mattermost", "start")
    second = bookmarks.open_connection("vk", "sequence break")
    assert 0 < first < second
    assert look("SELECT number, source, reason FROM connections ORDER BY 1") == [
        (first, "mattermost", "start"),
        (second, "vk", "sequence break"),
    ]


def test_a_post_of_which_nothing_is_kept_moves_the_mark_too(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    passed = {(*WHERE, 1): (2000, "p2"), (*WHERE, 2): (3000, "p3")}
    journal.write([Parcel(passed=passed)])
    assert mark(bookmarks) == ("p2", 2000, 1)
    later = {(*WHERE, 1): (4000, "p4")}
    journal.write([Parcel(passed=passed), Parcel(passed=later)])
    assert mark(bookmarks) == ("p4", 4000, 1)


def test_a_live_post_moves_the_mark_only_where_the_channel_is_filled_for_it(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    live = [passing(posted(post("p2", create_at=2000), connection=n)) for n in (1, 2)]
    journal.write([live[1]])
    assert mark(bookmarks) == ("p1", 1000, 1)
    journal.write([live[0]])
    assert mark(bookmarks) == ("p2", 2000, 1)
    journal.write([marks(CaughtUp(*WHERE, "p2", 2000, filled_for=2))])
    journal.write([kept(posted(post("p3", create_at=3000), connection=1))])
    assert mark(bookmarks) == ("p2", 2000, 2)


def test_while_the_writer_is_behind_the_mark_of_live_posts_may_lag(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    live = [
        kept(posted(post(f"p{n}", create_at=n * 1000), connection=1)) for n in (2, 3, 4)
    ]
    journal.write(live[:1], is_behind=True)
    assert mark(bookmarks) == ("p1", 1000, 1)
    journal.write(live[1:2], is_behind=False)
    assert mark(bookmarks) == ("p3", 3000, 1)
    journal.write(live[2:], is_behind=True)
    # What is written last moves all that is left, also of what nothing is kept.
    journal.write([Parcel(passed={(*WHERE, 1): (5000, "p5")})])
    assert mark(bookmarks) == ("p5", 5000, 1)


def test_a_mark_that_lags_is_not_lost_with_a_batch_that_could_not_be_written(
    journal: DatabaseJournal,
    bookmarks: DatabaseBookmarks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    two, three = (
        kept(posted(post(f"p{n}", create_at=n * 1000), connection=1)) for n in (2, 3)
    )
    journal.write([two], is_behind=True)

    def fail(*_: object) -> None:
        raise Transient("the line broke")

    with monkeypatch.context() as patch:
        patch.setattr(module, "move_live", fail)
        with pytest.raises(Transient):
            journal.write([three])
    journal.write([Parcel()])
    assert mark(bookmarks) == ("p2", 2000, 1)


def test_a_mark_lags_for_some_seconds_only() -> None:
    clock = Clock()
    late = LateMarks(clock)
    here, there = (*WHERE, 1), ("mattermost", "channel2", 1)
    for at in (1000, 2000):
        live = {here: (at, f"p{at}")}
        assert late.due(live, (), is_behind=True) is None
        late.note(live, None)
    clock.now += LATEST_S
    live = {there: (3000, "p3")}
    moved = late.due(live, (), is_behind=True)
    assert moved == {here: (2000, "p2000"), there: (3000, "p3")}
    late.note(live, moved)
    assert late.due({}, (), is_behind=False) == {}


def test_a_mark_that_lags_is_void_once_the_clock_was_set_back() -> None:
    """It may be one of tomorrow, and would hide again what is read anew."""
    late = LateMarks(Clock())
    here, there = (*WHERE, 1), ("mattermost", "channel2", 1)
    late.note({here: (9000, "p9"), there: (9000, "p9")}, None)
    anew = ReadAnew(*WHERE, "p1", 1000, 1, 900, "walk")
    moved = late.due({here: (1100, "p2")}, [anew], is_behind=True)
    assert moved == {here: (1100, "p2"), there: (9000, "p9")}


def test_a_post_of_the_future_moves_the_mark_to_now(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    told = posted(post("p2", create_at=9_000_000), occurred_at=2000, connection=1)
    journal.write([kept(told)])
    assert mark(bookmarks) == ("p2", 2000, 1)


def test_a_clock_that_was_set_back_sets_the_marks_back(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    read = (CaughtUp(*WHERE, "p9", 9000, 1), EditsRead(*WHERE, 8000))
    journal.write([marks(*read, WalkedBack(*WHERE, "p0", 10, True))])
    journal.write([marks(ReadAnew(*WHERE, "p1", 1000, 2, 900, "walk"))])
    assert mark(bookmarks) == ("p1", 1000, 2)
    found = bookmark(bookmarks)
    assert (found.edits_until, found.edits_walk_id) == (900, "walk")
    assert (found.history_id, found.is_history_done) == ("", False)
    journal.write([marks(EditsRead(*WHERE, 0, "further"))])
    assert bookmark(bookmarks).edits_until == 900
    journal.write([marks(EditsRead(*WHERE, 800))])
    assert bookmark(bookmarks).edits_until == 800
    journal.write([kept(posted(post("p2", create_at=2000), connection=2))])
    assert mark(bookmarks) == ("p2", 2000, 2)


def test_nothing_but_a_live_post_moves_the_mark(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, filled_for=1))])
    newer = post("p2", create_at=2000)
    journal.write(
        [
            kept(posted(newer, origin="backfill"), posted(newer, origin="replay")),
            kept(posted(post("p3", create_at=3000, channel_id="channel2"))),
            kept(posted(post("p4", create_at=4000), source="other")),
            kept(edited(post("p4", create_at=4000)), deleted(post("p4"))),
            kept(deleted_row("p5", create_at=5000)),
        ]
    )
    assert mark(bookmarks) == ("p1", 1000, 1)


def test_live_posts_of_a_batch_move_the_mark_to_the_newest_of_each_channel(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write(
        [
            marks(CaughtUp(*WHERE, "a", 1, filled_for=1)),
            marks(CaughtUp("mattermost", "channel2", "b", 1, filled_for=1)),
        ]
    )
    times = {"channel1": (2000, 4000, 3000), "channel2": (2500, 100, 1500)}
    events = [
        posted(post(f"{channel}-{at}", create_at=at, channel_id=channel))
        for channel, all_of_it in times.items()
        for at in all_of_it
    ]
    journal.write([passing(*events)])
    found = bookmarks.channels("mattermost")
    assert found["channel1"].mark_id == "channel1-4000"
    assert found["channel2"].mark_id == "channel2-2500"


def test_the_last_page_counts_for_live_posts_of_its_batch(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p1", 1000, None))])
    journal.write(
        [
            passing(posted(post("p2", create_at=2000), connection=5)),
            marks(CaughtUp(*WHERE, "p1", 1500, filled_for=5)),
        ]
    )
    assert mark(bookmarks) == ("p2", 2000, 5)


def test_a_walk_that_is_late_moves_nothing_back(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "p9", 9000, filled_for=9))])
    journal.write([marks(CaughtUp(*WHERE, "p5", 5000, filled_for=None))])
    journal.write([marks(CaughtUp(*WHERE, "p5", 5000, filled_for=5))])
    journal.write([passing(posted(post("p1"), connection=9))])
    assert mark(bookmarks) == ("p9", 9000, 9)


def test_an_empty_channel_can_be_filled(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(CaughtUp(*WHERE, "", 0, filled_for=3))])
    assert mark(bookmarks) == ("", 0, 3)


def test_the_walk_through_the_history_goes_back_only(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    def stand() -> tuple[str, bool]:
        found = bookmark(bookmarks)
        return found.history_id, found.is_history_done

    bookmarks.note("mattermost", [NEWS])
    assert stand() == ("", False)
    journal.write([marks(WalkedBack(*WHERE, "p5", 5000, False))])
    journal.write([marks(WalkedBack(*WHERE, "p3", 3000, False))])
    journal.write([marks(WalkedBack(*WHERE, "p5", 5000, False))])
    assert stand() == ("p3", False)
    journal.write([marks(WalkedBack(*WHERE, "p1", 1000, True))])
    journal.write([marks(WalkedBack(*WHERE, "p3", 3000, False))])
    assert stand() == ("p1", True)


def test_the_mark_of_edits_keeps_its_own_progress(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    def stand() -> tuple[int, str]:
        found = bookmark(bookmarks)
        return found.edits_until, found.edits_walk_id

    journal.write([marks(EditsRead(*WHERE, 5000))])
    assert stand() == (5000, "")
    journal.write([marks(EditsRead(*WHERE, 0, "p7"))])
    assert stand() == (5000, "p7")
    journal.write([marks(EditsRead(*WHERE, 4000))])
    assert stand() == (4000, "")
    assert mark(bookmarks) == ("", 0, 0)


def test_what_was_looked_at_is_kept_with_the_posts(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    journal.write([marks(Looked(*WHERE, 10, 9000)), marks(Looked(*WHERE, 12, 8000))])
    found = bookmark(bookmarks)
    assert (found.messages, found.last_post_at) == (12, 8000)


def test_a_note_moves_no_mark(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks, look: Look
) -> None:
    journal.write(
        [
            marks(CaughtUp(*WHERE, "p1", 1000, filled_for=4)),
            marks(Looked(*WHERE, 10, 9000), EditsRead(*WHERE, 7, "w")),
        ]
    )
    before = bookmark(bookmarks)
    lost = ChannelNews("channel1", "t", "P", "new", "New", 99, 99, is_accessible=False)
    bookmarks.note("mattermost", [NEWS])
    bookmarks.note("mattermost", [lost])
    told: Any = {name: getattr(before, name) for name in before.__slots__}
    now = {"name": "new", "team_id": "t", "type": "P"}
    assert bookmark(bookmarks) == Bookmark(**told | now)
    assert look("SELECT display_name, type, is_accessible FROM channels") == [
        ("New", "P", False)
    ]


def test_the_name_of_a_team_is_kept_until_there_is_another(
    bookmarks: DatabaseBookmarks,
) -> None:
    def team(name: str) -> str:
        bookmarks.note("mattermost", [replace(NEWS, team=name)])
        return bookmark(bookmarks).team

    assert [team(name) for name in ("crew", "", "staff")] == ["crew", "crew", "staff"]


def test_a_note_of_nothing_new_waits_for_nobody(
    bookmarks: DatabaseBookmarks, database: Database, look: Look
) -> None:
    bookmarks.note("mattermost", [NEWS])
    with database.transaction() as journal:
        journal.execute("SELECT 1 FROM channels FOR UPDATE")
        other = ChannelNews("channel2", "", "D", "a__b", "", 0, 0)
        bookmarks.note("mattermost", [NEWS, other, other])
    bookmarks.note("mattermost", [])
    assert look("SELECT channel_id FROM channels ORDER BY 1") == [
        ("channel1",),
        ("channel2",),
    ]


def test_channels_are_those_of_the_source(bookmarks: DatabaseBookmarks) -> None:
    bookmarks.note("mattermost", [NEWS])
    assert list(bookmarks.channels("mattermost")) == ["channel1"]
    assert bookmarks.channels("vk") == {}


def test_a_kind_of_gap_is_open_once_a_channel(
    bookmarks: DatabaseBookmarks, look: Look
) -> None:
    bookmarks.open_gap(*WHERE, "posts", "cut")
    bookmarks.open_gap(*WHERE, "posts", "still cut")
    bookmarks.open_gap(*WHERE, "edits", "1000 rows")
    opened = "SELECT kind, reason FROM gaps WHERE closed_at IS NULL ORDER BY kind"
    assert look(opened) == [("edits", "1000 rows"), ("posts", "still cut")]
    bookmarks.close_gap(*WHERE, "posts")
    bookmarks.close_gap(*WHERE, "posts")
    assert look(opened) == [("edits", "1000 rows")]
    bookmarks.open_gap(*WHERE, "posts", "again")
    assert look("SELECT count(*) FROM gaps") == [(3,)]


def test_gaps_of_many_channels_are_opened_and_closed_at_once(
    bookmarks: DatabaseBookmarks, look: Look
) -> None:
    bookmarks.open_gap("mattermost", "c2", "posts", "before")
    bookmarks.open_gaps("mattermost", ["c1", "c2", "c3"], "posts", "cut")
    bookmarks.open_gap("mattermost", "c1", "access", "no access")
    opened = "SELECT channel_id, kind FROM gaps WHERE closed_at IS NULL ORDER BY 1, 2"
    assert len(look(opened)) == 4
    bookmarks.close_gaps("mattermost", ["c1", "c2", "unknown"], "posts")
    assert look(opened) == [("c1", "access"), ("c3", "posts")]


def test_living_posts_of_a_span_are_told_with_their_edits(
    journal: DatabaseJournal, bookmarks: DatabaseBookmarks
) -> None:
    posts = [post(f"p{n}", create_at=n, edit_at=n * 2) for n in (1, 2, 3, 4, 5)]
    journal.write([kept(*map(posted, posts), posted(post("x", channel_id="other")))])
    journal.write([kept(deleted_row("p3"), deleted_row("p1"))])
    found = bookmarks.archived(*WHERE, since=2, until=4)
    assert found == {"p2": 4, "p4": 8}
    assert bookmarks.oldest(*WHERE) == 2
    assert bookmarks.oldest("mattermost", "nowhere") == 0


def test_a_former_daemon_opens_no_connection(
    database: Database, leadership: Leadership, look: Look
) -> None:
    """Nor does it note anything: another one has become the active daemon."""
    old = DatabaseBookmarks(database, epoch=lambda: leadership.epoch - 1)
    with pytest.raises(Fenced):
        old.open_connection("mattermost", "start")
    with pytest.raises(Fenced):
        old.open_gap(*WHERE, "posts", "late")
    with pytest.raises(Fenced):
        old.close_gap(*WHERE, "posts")
    with pytest.raises(Fenced):
        old.note("mattermost", [NEWS])
    assert look("SELECT 1 FROM connections UNION ALL SELECT 1 FROM gaps") == []
