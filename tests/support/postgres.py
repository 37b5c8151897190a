"""A real PostgreSQL for the tests: a fresh database each, from a template."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.embedded import Embedded
from malexbot.storage.migrate import migrate

TEST_DSN = "MALEXBOT_TEST_DSN"
"""The server of `tests/run --database`; without it, one of the wheel is started."""


# The files are copied, no page is logged: a third of the work. Since PostgreSQL 15.
BY_FILES = "STRATEGY FILE_COPY"


class Server:
    """Makes databases and drops them again."""

    def __init__(self, dsn: Dsn, strategy: str = "") -> None:
        """Strategy: how a template is copied; without one, as the server likes."""
        self.dsn = dsn
        self._strategy = strategy
        self._numbers = itertools.count()
        self._template: Dsn | None = None

    def empty(self) -> Dsn:
        return self.create(f"TEMPLATE template0 ENCODING 'UTF8' {self._strategy}")

    def migrated(self) -> Dsn:
        if self._template is None:
            self._template = self.empty()
            with Database(self._template) as database:
                migrate(database)
        return self.create(f"TEMPLATE {self._template.dbname} {self._strategy}")

    def create(self, how: str) -> Dsn:
        name = f"malexbot_test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {how}")
        return self.dsn.named(name)

    def drop(self, dsn: Dsn) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {dsn.dbname} WITH (FORCE)")

    def close(self) -> None:
        if self._template is not None:
            self.drop(self._template)

    def execute(self, statement: str) -> None:
        parameters: dict[str, Any] = self.dsn.parameters()
        connection = psycopg2.connect(**parameters)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def short_dir() -> Iterator[Path]:
    """A folder of ours whose path leaves room for a socket's name."""
    path = Path(tempfile.mkdtemp(prefix="mb-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def postgres(short_dir: Path) -> Iterator[Server]:
    """A real server, the same for all tests."""
    if given := os.environ.get(TEST_DSN):
        server = Server(Dsn.from_url(given))
        yield server
        server.close()
        return
    with Embedded(short_dir, fsync=False) as embedded:
        yield Server(embedded.dsn, BY_FILES)


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[Dsn]:
    """The address of a database without any table."""
    dsn = postgres.empty()
    yield dsn
    postgres.drop(dsn)


@pytest.fixture
def migrated_database(postgres: Server) -> Iterator[Dsn]:
    """The address of a database with all tables of ours."""
    dsn = postgres.migrated()
    yield dsn
    postgres.drop(dsn)


@pytest.fixture
def database(migrated_database: Dsn) -> Iterator[Database]:
    """A pool on a migrated database."""
    with Database(migrated_database) as opened:
        yield opened
