"""Lives of the daemon within the test: all its parts, as it composes them itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from malexbot.app import compose
from malexbot.config.load import load
from malexbot.pipe import Parts
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.supervisor import Supervisor
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership
from tests.support.settings import db_block, free_port

__all__ = ["mattermost"]

END_S = 15.0
# Each test of these has a database of its own, and asks it what came of it.
Look = Callable[[str], list[Any]]


class Life:
    """One life of the daemon."""

    def __init__(self, health: Health) -> None:
        self.health = health

    def is_at(self, part: str, state: str) -> bool:
        return state in self.health.parts().get(part, "")


@pytest.fixture
def write_config(tmp_path: Path, mattermost: Mattermost) -> Callable[..., Path]:
    """Writes a file that archives and answers, with a free port."""

    def write(dsn: Dsn, name: str = "malexbot") -> Path:
        database = db_block(dsn)
        chat = {
            "http_host": mattermost.url,
            "token": mattermost.town.token,
            "listen_channels": ["*"],
            "target_events_processors": {"posted": ["save", "response"]},
        }
        question = "'ask' in event.message.text"
        config = {
            "state_dir": str(tmp_path / "state"),
            "backend": {"host": "127.0.0.1", "port": free_port()},
            "db": database,
            "mattermost": chat,
            "responses": [{"when": question, "reply": "answer"}],
        }
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(config))
        return file

    return write


@pytest.fixture
def live(
    write_config: Callable[..., Path], migrated_database: Dsn
) -> Callable[[], Any]:
    """`with live() as life:` from the start to the end of one life."""

    @contextmanager
    def one_life() -> Iterator[Life]:
        health = Health()
        supervisor = Supervisor(on_fatal=_fail, health=health)
        with ExitStack() as stack:
            database = stack.enter_context(Database(migrated_database))
            leadership = Leadership(migrated_database)
            stack.callback(leadership.close)
            assert leadership.try_take()
            config = load(write_config(migrated_database))
            parts = Parts(config, database, leadership, health)
            composition = compose(parts)
            stack.callback(lambda: supervisor.stop(Deadline(END_S)))
            for service in composition.services:
                supervisor.start(service)
            yield Life(health)

    return one_life


@pytest.fixture
def look(database: Database) -> Look:
    """Asks the database what is in it."""

    def ask(query: str) -> list[Any]:
        with database.transaction() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    return ask


def _fail(name: str, error: BaseException | None) -> None:
    raise AssertionError(f"{name} would end the daemon: {error}")
