"""What the tests of the storage share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership

Rows = list[tuple[Any, ...]]


def until(is_so: Callable[[], object], limit_s: float = 15) -> None:
    """Come back when it is so; an error when it is not so in time."""
    end, pause = time.monotonic() + limit_s, threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"not so within {limit_s} s"
        pause.wait(0.01)


@pytest.fixture
def leadership(migrated_database: Dsn) -> Iterator[Leadership]:
    """The active daemon's."""
    taken = Leadership(migrated_database)
    assert taken.try_take()
    yield taken
    taken.close()


@pytest.fixture
def journal(leadership: Leadership) -> DatabaseJournal:
    return DatabaseJournal(leadership)


class Look:
    """Asks the database what is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, query: str, *values: object) -> Rows:
        with self._database.transaction() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *values: object) -> Any:
        return self(query, *values)[0][0]


@pytest.fixture
def look(database: Database) -> Look:
    return Look(database)


@pytest.fixture
def jobs(database: Database, leadership: Leadership) -> DatabaseJobs:
    return DatabaseJobs(database, epoch=lambda: leadership.epoch)
