"""One daemon for a module of faults: what one leaves behind, the next one meets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, stage
from tests.support.postgres import Server


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> None:
    """The town's threads do: they are counted at the end of the module."""


@pytest.fixture(scope="module")
def played(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    before = set(threading.enumerate())
    folder: Path = tmp_path_factory.mktemp("faults")
    dsn = postgres.migrated()
    with stage(dsn, folder) as made:
        yield made
    postgres.drop(dsn)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), f"left behind: {thread.name}"


@pytest.fixture
def scene(played: Stage) -> Iterator[Stage]:
    """Ready for the next fault; whatever the test does, it is over afterwards."""
    played.begin()
    yield played
    played.end()
