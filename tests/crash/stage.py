"""Everything that a crash needs: Mattermost, PostgreSQL behind a proxy, the daemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.crash.daemons import PATIENCE_S, Daemons
from tests.crash.judge import Judge, shown
from tests.crash.traffic import KEEP, RULES
from tests.support.settings import db_block, free_port

# The least that a server takes: long answers become several posts.
MOST_RUNES = 4_000
# No frame is lost for a burst that a busy machine takes its time for.
SEND_QUEUE = 100_000


class Stage(Daemons):
    """One town, one archive, and one daemon after the other."""

    def __init__(
        self, *, sandbox: Sandbox, town: Town, config: Path, database: Database
    ) -> None:
        super().__init__(config)
        self.sandbox = sandbox
        self.town = town
        self.judge = Judge(sandbox, town, database)
        self._database = database

    def let_a_minute_pass(self) -> None:
        """To a daemon that is down: what it was sending, it sent a minute ago."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE jobs SET sending_at = sending_at - interval '61 s'"
                " WHERE finished_at IS NULL"
            )

    def wait_until_right(self, questions: Mapping[str, str]) -> None:
        """All is kept and answered, once, or the test fails with what is not."""
        until, pause = time.monotonic() + PATIENCE_S, threading.Event()
        while self.judge.unfinished() and time.monotonic() < until:
            pause.wait(0.1)
        while complaints := self.judge.complaints(questions):
            if time.monotonic() > until:
                pytest.fail(self.failure(shown(complaints)))
            pause.wait(0.2)


@contextmanager
def staged(dsn: Dsn, folder: Path, seen_by_daemon: Dsn) -> Iterator[Stage]:
    """A stage on a migrated database; the daemon sees it at an address of its own."""
    settings = Settings(max_post_runes=MOST_RUNES, send_queue=SEND_QUEUE)
    with Sandbox(settings=settings) as sandbox, Database(dsn) as database:
        town = build(sandbox.scene)
        config = folder / "malexbot.yaml"
        config.write_text(_config(folder, sandbox, town, seen_by_daemon))
        made = Stage(sandbox=sandbox, town=town, config=config, database=database)
        try:
            yield made
        finally:
            made.stop()


def _config(folder: Path, sandbox: Sandbox, town: Town, dsn: Dsn) -> str:
    return yaml.safe_dump(
        {
            "state_dir": str(folder / "state"),
            "backend": {"host": "127.0.0.1", "port": free_port()},
            "db": db_block(dsn),
            "mattermost": {
                "http_host": sandbox.url,
                "token": town.token,
                "filter_messages_contains": KEEP,
                "listen_channels": ["*"],
                "direct": "archive",
                "target_events_processors": {"posted": ["save", "response"]},
            },
            "responses": [
                {"when": f"'ask {kind}' in event.message.text", **rule}
                for kind, rule in RULES.items()
            ],
            "workers": {"answers_per_minute": 1000},
        }
    )
