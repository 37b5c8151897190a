"""What comes in of somebody who was erased: nothing of it is kept or acted on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from malexbot.events import User
from malexbot.ports import Parcel, Reject
from malexbot.storage.database import Database
from malexbot.storage.erased import remember
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.session import Cursor
from tests.storage.conftest import Look
from tests.storage.happenings import (
    acted_on,
    edited,
    kept,
    old_version,
    passing,
    post,
    posted,
    reacted,
)

CONTENT = ("posts", "post_versions", "reactions", "echoes", "jobs", "people")
BOB = User("bob", nick="bob")


def erase(database: Database, user_id: str = "alice") -> None:
    with database.transaction() as cursor:
        remember(cursor, "mattermost", user_id)


def counts(look: Look) -> dict[str, int]:
    return {name: look.one(f"SELECT count(*) FROM {name}") for name in CONTENT}


def test_nothing_is_kept_of_an_erased_person_and_no_job_is_made(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database)
    begun = journal.write(
        [
            kept(posted(post("p1")), edited(post("p2", edit_at=2000))),
            passing(edited(post("p3", edit_at=2000)), reacted()),
            kept(old_version("p1", "before", 0, 3000)),
            acted_on(posted(post("p4"))),
        ],
        seats=4,
        lease_s=60,
    )
    assert begun == []
    assert counts(look) == dict.fromkeys(CONTENT, 0)


def test_others_of_the_same_batch_are_kept(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database)
    journal.write(
        [kept(posted(post("p1")), posted(post("p2", user_id="bob"), user=BOB))]
    )
    assert look("SELECT id FROM posts") == [("p2",)]


def test_a_post_of_theirs_that_another_one_edits_is_theirs(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database)
    journal.write([acted_on(edited(post("p1", edit_at=2000), user=BOB))])
    assert counts(look) == dict.fromkeys(CONTENT, 0)


def test_an_id_counts_on_its_own_messenger_only(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    with database.transaction() as cursor:
        remember(cursor, "elsewhere", "alice")
    journal.write([kept(posted(post("p1")))])
    assert look("SELECT id FROM posts") == [("p1",)]


def test_what_cannot_be_read_is_not_kept_if_it_names_them(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database, "alice-id")
    rejects = [
        Reject("mattermost", b'{"user_id": "alice-id", "text": 5}', "no text"),
        Reject("mattermost", b"{", "of alice-id: no text"),
        Reject("mattermost", b"[]", "no event"),
    ]
    journal.write([Parcel(rejects=rejects)])
    assert look("SELECT reason FROM rejects") == [("no event",)]


def test_what_is_refused_alone_is_not_kept_of_them_either(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database)
    poison = posted(post("bad", "a\0b", user_id="bob"), user=BOB)
    journal.write([kept(posted(post("p1")), poison)])
    assert look("SELECT id FROM posts") == []
    assert look.one("SELECT count(*) FROM rejects") == 1


def test_who_erases_waits_for_a_batch_that_did_not_know(
    journal: DatabaseJournal,
    leadership: Leadership,
    database: Database,
    look: Look,
) -> None:
    """Between being erased and the deletion of what was there nothing comes in."""
    is_known, entered = threading.Event(), threading.Event()
    writing = leadership.transaction

    class Held:
        """A batch whose commit lasts until somebody else has tried."""

        epoch = leadership.epoch

        @contextmanager
        def transaction(self) -> Iterator[Cursor]:
            with writing() as cursor:
                yield cursor
                entered.set()
                assert not is_known.wait(0.3)

    slow = DatabaseJournal(Held())  # type: ignore[arg-type]
    writer = threading.Thread(target=slow.write, args=([kept(posted(post("p1")))],))
    writer.start()
    assert entered.wait(10)
    erase(database)
    is_known.set()
    seen = look("SELECT id FROM posts")
    writer.join()
    assert seen == [("p1",)]


def test_dead_rows_of_a_batch_do_not_outlast_an_erasure(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> None:
    size = "SELECT pg_relation_size('incoming')"
    journal.write([kept(posted(post("p1", "secret")))])
    with leadership.transaction() as cursor:
        cursor.execute(size)
        assert cursor.fetchone() != (0,)
    erase(database)
    journal.write([kept(posted(post("p1", "secret")))])
    with leadership.transaction() as cursor:
        cursor.execute(size)
        assert cursor.fetchone() == (0,)
