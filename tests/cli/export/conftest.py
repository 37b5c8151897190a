"""An archive to export, and the command for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.cli.test_database import config
from tests.support.archive_of import fill
from tests.support.postgres import Server

Run = Callable[..., Result]
POSTS = 1500


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """The configuration."""
    return config(database.dsn, tmp_path / "malexbot.yaml")


@pytest.fixture
def run(file: Path) -> Run:
    def invoke(*args: object) -> Result:
        words = ["export", "--config", str(file), *map(str, args)]
        return CliRunner().invoke(main, words)

    return invoke


@pytest.fixture(scope="package")
def filled(postgres: Server) -> Iterator[Dsn]:
    """A database with POSTS posts, which nobody changes."""
    dsn = postgres.migrated()
    with Database(dsn) as database:
        fill(database, POSTS)
    yield dsn
    postgres.drop(dsn)


@pytest.fixture
def archive(filled: Dsn) -> Iterator[Database]:
    with Database(filled) as opened:
        yield opened


def malexbot(file: Path, *args: object) -> list[str]:
    """The command line of the real process."""
    command = [sys.executable, "-m", "malexbot", "export", "--config", str(file)]
    return [*command, *map(str, args)]
