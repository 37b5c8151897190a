"""The schema: applied once, in order, and refused when it is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from malexbot.errors import Misconfigured, Permanent
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.migrate import Migration, known_migrations, migrate

STEPS = (
    Migration(1, "one", "CREATE TABLE one (id integer)"),
    Migration(2, "two", "SELECT pg_sleep(0.2); CREATE TABLE two (id integer)"),
    Migration(3, "three", "CREATE TABLE three (id integer)"),
)


@pytest.fixture
def fresh(empty_database: Dsn) -> Iterator[Database]:
    with Database(empty_database) as opened:
        yield opened


def history(database: Database) -> list[tuple[int, str]]:
    with database.transaction() as cursor:
        cursor.execute("SELECT number, name FROM schema_version ORDER BY applied_at")
        return cursor.fetchall()


def test_the_files_are_numbered_without_a_gap() -> None:
    steps = known_migrations()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.name and step.sql for step in steps)


def test_all_steps_are_applied_once(fresh: Database) -> None:
    assert migrate(fresh) == len(known_migrations())
    assert migrate(fresh) == 0
    assert len(history(fresh)) == len(known_migrations())


def test_a_target_is_not_passed(fresh: Database) -> None:
    assert migrate(fresh, 2, STEPS) == 2
    assert history(fresh) == [(1, "one"), (2, "two")]
    assert migrate(fresh, None, STEPS) == 1


def test_of_two_at_once_one_waits(fresh: Database) -> None:
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: migrate(fresh, None, STEPS), range(2)))
    assert sum(done) == len(STEPS)
    assert history(fresh) == [(1, "one"), (2, "two"), (3, "three")]


def test_a_step_that_fails_leaves_nothing_of_itself(fresh: Database) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (id integer); SELECT 1/0")
    with pytest.raises(Permanent, match="division by zero"):
        migrate(fresh, None, (STEPS[0], broken))
    assert history(fresh) == [(1, "one")]
    with fresh.transaction() as cursor:
        cursor.execute("SELECT to_regclass('half')")
        assert cursor.fetchone() == (None,)


def test_a_newer_schema_is_refused(fresh: Database) -> None:
    migrate(fresh, None, STEPS)
    with pytest.raises(Misconfigured, match="has schema 3, .* knows only 2: install"):
        migrate(fresh, None, STEPS[:2])


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM schema_version WHERE number = 2",
        "UPDATE schema_version SET name = 'other' WHERE number = 2",
    ],
)
def test_another_history_is_refused(fresh: Database, change: str) -> None:
    migrate(fresh, None, STEPS)
    with fresh.transaction() as cursor:
        cursor.execute(change)
    with pytest.raises(Misconfigured, match="made by another program: use another"):
        migrate(fresh, None, STEPS)
