"""The newest of what is kept of a channel."""

from __future__ import annotations

from malexbot.ports import CaughtUp, Parcel
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.recent import MOST, Recent, recent
from tests.storage.conftest import Look
from tests.storage.happenings import deleted, edited, kept, post, posted, reacted

CAUGHT_UP = CaughtUp("mattermost", "channel1", "p2", 2000, 1)


def test_a_post_is_told_with_its_whole_life(
    journal: DatabaseJournal, database: Database
) -> None:
    journal.write([kept(posted(post()))])
    for at, text in ((3000, "third"), (2000, "second")):
        journal.write([kept(edited(post(message=text, edit_at=at)))])
    journal.write([kept(reacted(emoji="tada", at=50), reacted(emoji="eyes", at=60))])
    journal.write([kept(reacted(emoji="tada", at=70, removed=True))])
    journal.write([kept(deleted(post(), at=9000))])
    (row,) = recent(database, "channel1", 0).posts
    assert (row.message, row.earlier) == ("third", ["hello", "second"])
    assert (row.edit_at, row.delete_at, row.reactions) == (3000, 9000, ["eyes"])


def test_the_newest_come_first_and_of_one_channel(
    journal: DatabaseJournal, database: Database
) -> None:
    places = (("old", 900, "channel1"), ("p1", 1000, "channel1"))
    later = (("p2", 2000, "channel1"), ("else", 1500, "channel2"))
    for name, at, channel in places + later:
        journal.write([kept(posted(post(name, create_at=at, channel_id=channel)))])
    told = recent(database, "channel1", 1000)
    assert [row.id for row in told.posts] == ["p2", "p1"]
    assert told.known_from == 1000


def test_how_far_all_is_kept_is_told(
    journal: DatabaseJournal, database: Database
) -> None:
    assert recent(database, "channel1", 7) == Recent(None, 7, [])
    journal.write([Parcel(marks=[CAUGHT_UP])])
    assert recent(database, "channel1", 7) == Recent(2000, 7, [])


def test_of_too_many_it_says_where_they_begin(look: Look, database: Database) -> None:
    look(
        "INSERT INTO posts (id, channel_id, user_id, root_id, type, message,"
        " create_at, update_at, edit_at, raw, kept_from)"
        " SELECT 'p' || n, 'c', 'u', '', '', '', n, n, 0, '{}', 0"
        " FROM generate_series(1, %s) n",
        MOST + 1,
    )
    told = recent(database, "c", 0)
    assert len(told.posts) == MOST
    assert told.posts[-1].create_at == 2
    assert told.known_from == 3
    whole = recent(database, "c", 2)
    assert len(whole.posts) == MOST
    assert whole.known_from == 2
