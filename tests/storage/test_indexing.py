"""Posts are made findable behind the stream, whatever was cut off in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import orjson
import pytest

from malexbot.errors import Transient
from malexbot.runtime.stop import Stop
from malexbot.storage import indexing
from malexbot.storage.database import Database, Fenced
from malexbot.storage.indexing import Indexing, Lag, find_lag
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.happenings import deleted, edited, kept, passing, post, posted
from tests.support.threads import Running, eventually

WORDS = """
SELECT post_id, array(
  SELECT lexeme FROM unnest(words) WHERE lexeme NOT LIKE '%:%' ORDER BY 1
) FROM post_words ORDER BY post_id
"""
HISTORY = """
DELETE FROM unindexed; INSERT INTO unindexed (post_ids) VALUES (NULL)
"""
Index = Callable[[], int]


@pytest.fixture
def service(database: Database, leadership: Leadership) -> Indexing:
    return Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)


@pytest.fixture
def index(service: Indexing) -> Index:
    return service.catch_up


def waiting(look: Look) -> list[list[str]]:
    return [ids for (ids,) in look("SELECT post_ids FROM unindexed ORDER BY number")]


def test_a_batch_notes_what_it_wrote(journal: DatabaseJournal, look: Look) -> None:
    journal.write([kept(posted(post("p1")), posted(post("p2")))])
    journal.write([kept(posted(post("p1"), origin="backfill"))])
    journal.write([passing(posted(post("p3")))])
    journal.write([kept(edited(post("p1", "changed", edit_at=2000)))])
    journal.write([passing(edited(post("p2", "changed", edit_at=2000)))])
    journal.write([kept(deleted(post("p2")))])
    assert [sorted(ids) for ids in waiting(look)] == [
        ["p1", "p2"],
        ["p1"],
        ["p2"],
        ["p2"],
    ]


def test_replies_to_what_is_deleted_are_noted_too(
    journal: DatabaseJournal, look: Look
) -> None:
    reply = post("p2", root_id="p1")
    journal.write([kept(posted(post("p1")), posted(reply))])
    look("DELETE FROM unindexed")
    journal.write([kept(deleted(post("p1")))])
    late = post("p3", root_id="p1")
    journal.write([kept(posted(late))])
    assert waiting(look) == [["p1"], ["p2"], ["p3"], ["p3"]]


def test_the_index_says_what_the_archive_says(
    journal: DatabaseJournal, index: Index, look: Look
) -> None:
    journal.write([kept(posted(post("p1", "Серверы упали")), posted(post("p2")))])
    assert index() == 2
    assert look(WORDS) == [("p1", ["сервер", "упа"]), ("p2", ["hello"])]
    journal.write([kept(edited(post("p1", "deploying", edit_at=2000)))])
    assert index() == 1
    assert look(WORDS) == [("p1", ["deploy"]), ("p2", ["hello"])]
    assert waiting(look) == []


def test_it_does_not_matter_how_often(
    journal: DatabaseJournal, index: Index, look: Look
) -> None:
    journal.write([kept(posted(post("p1")))])
    note = waiting(look)[0]
    index()
    before = look("SELECT xmin, * FROM post_words")
    look("INSERT INTO unindexed (post_ids) VALUES (%s), (%s)", note, ["unheard of"])
    assert index() == 2
    assert look("SELECT xmin, * FROM post_words") == before


def test_attachments_and_files_are_indexed(
    journal: DatabaseJournal, index: Index, look: Look
) -> None:
    raw = {
        "props": {"attachments": [{"text": "Build failed"}]},
        "metadata": {"files": [{"name": "report.pdf"}]},
    }
    alert = post("p1", "")._replace(raw=orjson.dumps(raw).decode())
    journal.write([kept(posted(alert))])
    index()
    assert look(WORDS) == [("p1", ["build", "fail", "pdf", "report"])]


def test_what_the_server_says_itself_is_not_indexed(
    journal: DatabaseJournal, index: Index, look: Look
) -> None:
    joined = post("p1", "anna joined", type="system_join_channel")
    journal.write([kept(posted(joined), posted(post("p2", type="custom")))])
    index()
    assert look(WORDS) == [("p2", ["hello"])]


def test_what_is_gone_from_the_archive_is_gone_from_the_index(
    journal: DatabaseJournal, index: Index, look: Look
) -> None:
    journal.write([kept(posted(post("p1")), posted(post("p2")))])
    index()
    look("DELETE FROM posts WHERE id = 'p1'")
    assert look(WORDS) == [("p2", ["hello"])]
    look("INSERT INTO post_words VALUES ('p1', 0, 'left')")  # by a race
    index()
    assert look(WORDS) == [("p2", ["hello"])]


def test_an_archive_from_before_is_indexed_in_pieces_and_goes_on(
    journal: DatabaseJournal,
    service: Indexing,
    index: Index,
    look: Look,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 3)
    old = [
        post(f"p{n:02}", channel_id=f"c{n % 3}", create_at=n % 4 + 1) for n in range(20)
    ]
    journal.write([kept(*map(posted, old))])
    look(HISTORY)
    assert service._index_piece() == 3
    assert find_lag(database).posts == 17
    journal.write([kept(posted(post("new")))])
    assert service._index_piece() == 4  # the new one first, and three of before
    assert len(look(WORDS)) == 7
    index()
    assert [id_ for id_, _ in look(WORDS)] == ["new", *(each.id for each in old)]
    assert waiting(look) == []


def test_a_migration_of_a_full_archive_leaves_it_to_the_service(look: Look) -> None:
    look("INSERT INTO unindexed (post_ids) SELECT NULL WHERE EXISTS (TABLE posts)")
    assert waiting(look) == []


def test_who_is_not_active_any_more_indexes_nothing(
    journal: DatabaseJournal, database: Database, leadership: Leadership, look: Look
) -> None:
    journal.write([kept(posted(post("p1")))])
    late = Indexing(database, epoch=lambda: leadership.epoch - 1, written=lambda: 0)
    with pytest.raises(Fenced):
        late.catch_up()
    assert look(WORDS) == []


def test_the_lag_is_told(
    journal: DatabaseJournal, index: Index, database: Database
) -> None:
    assert find_lag(database) == Lag(0, 0.0)
    journal.write([kept(posted(post("p1")), posted(post("p2")))])
    lag = find_lag(database)
    assert lag.posts == 2
    assert 0 < lag.seconds < 60
    index()
    assert find_lag(database) == Lag(0, 0.0)


class Turns:
    """The service with quick turns; counts when it looks."""

    def __init__(self, service: Indexing, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self.written = 0
        self.fails = 0
        service._written = lambda: self.written
        monkeypatch.setattr(indexing, "TURN_S", 0.001)
        monkeypatch.setattr(service, "catch_up", self._look)

    def _look(self, stop: object) -> int:
        self.looks += 1
        if self.looks <= self.fails:
            raise Transient("the database is away")
        return 0


@pytest.fixture
def turns(service: Indexing, monkeypatch: pytest.MonkeyPatch) -> Turns:
    return Turns(service, monkeypatch)


def test_an_idle_daemon_hardly_looks(
    turns: Turns, service: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "IDLE_TURNS", 10**9)
    with Running(service):
        eventually(lambda: turns.looks == 1)
        turns.written += 1
        eventually(lambda: turns.looks == 2)
    assert turns.looks == 2


def test_what_others_write_is_seen_too(
    turns: Turns, service: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "IDLE_TURNS", 3)
    with Running(service):
        eventually(lambda: turns.looks > 2)


def test_an_outage_does_not_end_it(turns: Turns, service: Indexing) -> None:
    turns.fails = 3
    with Running(service):
        eventually(lambda: turns.looks > 3)


def test_a_stream_has_the_machine_for_itself_but_not_for_ever(
    turns: Turns, service: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PATIENCE_TURNS", 10)
    calls = 0

    def streaming() -> int:
        nonlocal calls
        calls += 1
        return calls * (indexing.BUSY + 1)

    service._written = streaming
    with Running(service):
        eventually(lambda: turns.looks > 2)
    assert turns.looks <= calls / 10


def test_the_service_indexes(
    journal: DatabaseJournal,
    service: Indexing,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexing, "TURN_S", 0.01)
    journal.write([kept(posted(post("p1")))])
    with Running(service):
        eventually(lambda: look(WORDS) == [("p1", ["hello"])])


def test_an_outage_is_told_once(
    service: Indexing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = threading.Semaphore(0)

    def fail(stop: Stop) -> int:
        tries.release()
        raise Transient("the database is away")

    monkeypatch.setattr(indexing, "TURN_S", 0.01)
    monkeypatch.setattr(service, "catch_up", fail)
    caplog.set_level(logging.INFO)
    with Running(service):
        for _ in range(5):
            assert tries.acquire(timeout=10)
    assert caplog.text.count("not now") == 1
