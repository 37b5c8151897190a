"""Late answers: no more of them go one way than the server takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from malexbot.ports import AnswerWays, Use
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.ways import LASTS_S, MOST_USES, DatabaseWays
from tests.storage.conftest import Look, until
from tests.storage.working import offer, pass_time
from tests.support.postgres import Server
from tests.support.ways import MemoryWays


@pytest.fixture(params=["real", "memory"])
def ways(request: pytest.FixtureRequest, postgres: Server) -> AnswerWays:
    if request.param == "memory":
        return MemoryWays()
    return DatabaseWays(request.getfixturevalue("database"))


def test_only_so_many_answers_go_one_way(ways: AnswerWays) -> None:
    for n in range(MOST_USES):
        assert ways.use("e1", key=f"key-{n}") == Use(is_repeat=False)
    assert ways.use("e1", key="key-9") is None
    assert ways.use("e2", key="key-9") == Use(is_repeat=False)


def test_an_answer_that_is_tried_again_is_known_and_counts_once(
    ways: AnswerWays,
) -> None:
    for is_repeat in (False, True, True):
        assert ways.use("e1", key="key-1") == Use(is_repeat)
    for n in range(2, MOST_USES + 1):
        assert ways.use("e1", key=f"key-{n}") == Use(is_repeat=False)
    assert ways.use("e1", key="key-1") == Use(is_repeat=True)


def test_after_half_an_hour_nothing_goes_that_way(
    database: Database, journal: DatabaseJournal, look: Look
) -> None:
    ways = DatabaseWays(database)
    offer(journal, "a1")
    assert ways.use("a1", key="key-1")
    pass_time(look, LASTS_S - 60)
    assert ways.use("a1", key="key-2")
    pass_time(look, 61)
    assert ways.use("a1", key="key-3") is None
    assert ways.use("a1", key="key-1") is None


def test_of_two_at_once_the_last_use_is_ones(database: Database, look: Look) -> None:
    ways = DatabaseWays(database)
    for n in range(MOST_USES - 1):
        ways.use("e1", key=f"key-{n}")
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('way e1', 0))"
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(2) as pool:
        with database.transaction() as cursor:
            cursor.execute(lock)
            uses = [pool.submit(ways.use, "e1", key=f"last-{n}") for n in range(2)]
            until(lambda: look.one(waits) == 2)
        assert [use.result() for use in uses].count(None) == 1
