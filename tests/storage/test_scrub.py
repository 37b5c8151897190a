"""The tables are written anew, beside those who use them."""

from __future__ import annotations

import threading

import pytest

from malexbot.errors import Transient
from malexbot.storage import scrub as module
from malexbot.storage import session
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.scrub import scrub
from tests.storage.conftest import Look
from tests.storage.happenings import kept, post, posted

PLACE = "SELECT pg_relation_filepath('posts')"


def scrubbed(database: Database) -> list[str]:
    names: list[str] = []
    scrub(database, is_embedded=False, tell=names.append)
    return names


def test_each_table_gets_another_file(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    journal.write([kept(posted(post("p1")))])
    before = look.one(PLACE)
    names = scrubbed(database)
    assert {"posts", "post_words", "jobs", "rejects", "people"} <= {*names}
    assert look.one(PLACE) != before
    assert look("SELECT id FROM posts") == [("p1",)]


def test_samples_of_the_content_go_with_it(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    journal.write([kept(*(posted(post(f"p{n}", "kumquat")) for n in range(9)))])
    database.alone("ANALYZE posts")
    sample = "SELECT most_common_vals::text FROM pg_stats WHERE attname = 'message'"
    assert look(sample)[0] == ("{kumquat}",)
    look("DELETE FROM posts")
    journal.write([kept(posted(post("q1")), posted(post("q2")))])
    scrubbed(database)
    assert "kumquat" not in str(look(sample))


def test_it_waits_for_who_still_sees_what_was_deleted(
    database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    is_done = threading.Event()

    def work() -> None:
        scrubbed(database)
        is_done.set()

    with database.transaction() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT 1")
        before = look.one(PLACE)
        thread = threading.Thread(target=work)
        thread.start()
        assert not is_done.wait(0.5)
        assert look.one(PLACE) == before
    assert is_done.wait(30)
    thread.join()


def test_a_reader_that_does_not_end_is_told_and_nobody_waits_behind_us(
    database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    monkeypatch.setattr(session, "LOCK_PATIENCE_S", 0.05)
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE posts IN ACCESS SHARE MODE")
        with pytest.raises(Transient, match="malexbot database scrub"):
            scrubbed(database)
        assert look("SELECT id FROM posts") == []


def test_the_session_is_as_before_afterwards(database: Database, look: Look) -> None:
    scrubbed(database)
    assert look.one("SHOW statement_timeout") == "30s"
    assert look.one("SHOW lock_timeout") == "0"
