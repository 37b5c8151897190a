"""What has become too old is deleted."""

from __future__ import annotations

import pytest

from malexbot.storage import expiry
from malexbot.storage.database import Database
from malexbot.storage.expiry import Expiry
from malexbot.storage.indexing import Indexing
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, edited, kept, post, posted, reacted
from tests.support.threads import Running, eventually

POSTS = "SELECT id FROM posts ORDER BY id"


def expiry_of(database: Database, since_ms: int = 2000) -> Expiry:
    return Expiry(database, keep_s=lambda: 1.0, since_ms=lambda: since_ms)


def test_old_posts_go_with_all_that_hangs_on_them(
    journal: DatabaseJournal, database: Database, leadership: Leadership, look: Look
) -> None:
    old = post("p1", create_at=1000)
    journal.write([kept(posted(old), reacted("p1"))])
    journal.write([kept(edited(post("p1", "anew", create_at=1000, edit_at=3000)))])
    journal.write([kept(posted(post("p2", create_at=2000)))])
    index = Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)
    index.catch_up()
    assert expiry_of(database).expire() == 1
    assert look(POSTS) == [("p2",)]
    assert look("SELECT post_id FROM post_words") == [("p2",)]
    for name in ("post_versions", "reactions"):
        assert look.one(f"SELECT count(*) FROM {name}") == 0


def test_without_a_limit_nothing_goes(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    journal.write([kept(posted(post("p1")))])
    assert expiry_of(database, since_ms=0).expire() == 0
    assert look(POSTS) == [("p1",)]


def test_many_go_in_pieces_from_every_channel(
    database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "_PIECE", 10)
    look(
        """
        INSERT INTO posts (id, channel_id, user_id, root_id, type, message,
          create_at, update_at, edit_at, raw, kept_from)
        SELECT n, 'c' || n %% 3, 'u', '', '', 'm', n, n, 0, '{}', 0
        FROM generate_series(1, %s) n
        """,
        60,
    )
    assert expiry_of(database, since_ms=46).expire() == 45
    assert look.one("SELECT min(create_at) FROM posts") == 46


def test_old_rejects_and_finished_jobs_go_too(
    journal: DatabaseJournal, database: Database, leadership: Leadership, look: Look
) -> None:
    journal.write([acted_on(posted(post("p1")), posted(post("p2")))])
    jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    jobs.finish(job, [])
    look("INSERT INTO rejects (source, raw, reason) VALUES ('m', 'x', 'y')")
    day = 86_400_000
    now = int(look.one("SELECT extract(epoch FROM now()) * 1000"))
    expiry_of(database, since_ms=now - day).expire()
    assert look.one("SELECT count(*) FROM jobs") == 2
    assert look.one("SELECT count(*) FROM rejects") == 1
    expiry_of(database, since_ms=now + day).expire()
    assert look("SELECT event_id FROM jobs") == [("p2",)]
    assert look.one("SELECT count(*) FROM rejects") == 0


def test_it_begins_with_the_daemon_and_again_when_the_setting_changes(
    journal: DatabaseJournal,
    database: Database,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expiry, "LOOK_S", 0.01)
    setting, since = [1.0], [2000]
    service = Expiry(database, keep_s=lambda: setting[0], since_ms=lambda: since[0])
    journal.write([kept(posted(post("p1", create_at=1000)))])
    journal.write([kept(posted(post("p2", create_at=2500)))])
    monkeypatch.setattr(expiry, "LOOKS", 1_000_000)
    with Running(service):
        eventually(lambda: look(POSTS) == [("p2",)])
        since[0], setting[0] = 3000, 0.5
        eventually(lambda: look(POSTS) == [])
