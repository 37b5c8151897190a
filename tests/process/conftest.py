"""Daemons as real processes, on a database and a port of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.storage.dsn import Dsn
from tests.process.programs import program
from tests.support.settings import db_block, free_port

Start = Callable[..., DaemonProcess]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for the socket of an embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="mx-") as name:
        yield Path(name)


@pytest.fixture
def write_config(folder: Path) -> Callable[..., Path]:
    """Writes NAME.yaml with a free port and the given blocks."""

    def write(name: str, dsn: Dsn | None, **blocks: object) -> Path:
        config: dict[str, object] = {
            "state_dir": str(folder / "state"),
            "backend": {"host": "127.0.0.1", "port": free_port()},
            "log": {"level": "debug"},
            **blocks,
        }
        if dsn:
            config["db"] = db_block(dsn)
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(config))
        return file

    return write


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a daemon on a config; all are gone after the test.

    They end before their database: without it they would wait for that.
    """
    if "empty_database" in request.fixturenames:
        request.getfixturevalue("empty_database")
    with ExitStack() as stack:

        def run(
            config: Path, more: str | None = None, **given: object
        ) -> DaemonProcess:
            if more:
                given["program"] = program(more)
            daemon = DaemonProcess(config, **given)  # type: ignore[arg-type]
            return stack.enter_context(daemon)

        yield run
