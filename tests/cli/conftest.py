"""An active daemon as `malexbot status` meets it, played by its page and its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.readings import register_connections
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership
from malexbot.web.status import mount_status
from tests.support.settings import db_block, free_port
from tests.web.test_server import serving

Server = Callable[..., int]
Execute = Callable[..., None]
Run = Callable[..., Result]


@pytest.fixture
def health() -> Health:
    """Of a daemon that is well."""
    health = Health()
    for part in ("daemon", "intake", "lanes"):
        health.tell(part, "works", is_ready=True)
    health.tell("mattermost", "connected", is_ready=True)
    return health


@pytest.fixture
def serve(health: Health) -> Iterator[Server]:
    """What an active daemon serves; returns its port."""
    with ExitStack() as stack:

        def start(**numbers: float) -> int:
            metrics = Metrics()
            listener: Any = SimpleNamespace(
                name="mattermost", is_connected=True, number=7, resumes=2
            )
            register_connections(metrics, [listener])
            for name, number in numbers.items():
                metrics.gauge(name, name, lambda number=number: number)
            server, _ = stack.enter_context(
                serving(lambda application: mount_status(application, metrics, health))
            )
            return (server.address or ("", 0))[1]

        yield start


@pytest.fixture
def active(migrated_database: Dsn) -> Iterator[Leadership]:
    """The lock of the daemon that `serve` plays."""
    taken = Leadership(migrated_database)
    assert taken.try_take()
    yield taken
    taken.close()


@pytest.fixture
def execute(database: Database) -> Execute:
    def run(*statements: str) -> None:
        with database.transaction() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return run


@pytest.fixture
def status(migrated_database: Dsn, tmp_path: Path) -> Run:
    """`malexbot status` of the daemon at this port, on this database."""

    def invoke(
        *args: str,
        port: int | None = None,
        dsn: Dsn | None = migrated_database,
        channels: tuple[str, ...] = ("*",),
        color: bool = False,
        **blocks: object,
    ) -> Result:
        settings: dict[str, object] = {
            "backend": {"port": free_port() if port is None else port},
            "state_dir": str(tmp_path / "state"),
            "mattermost": {
                "http_host": "http://chat.example.org",
                "token": "t0ken",
                "listen_channels": list(channels),
                "target_events_processors": {"posted": ["save"]},
            },
        }
        if dsn:
            settings["db"] = db_block(dsn) | {"password": dsn.password or "none"}
        file = tmp_path / "malexbot.yaml"
        file.write_text(yaml.safe_dump(settings | blocks))
        words = ["status", "--config", str(file), *args]
        return CliRunner().invoke(main, words, color=color)

    return invoke
