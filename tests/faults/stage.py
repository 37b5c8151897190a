"""One town, one archive, and one daemon that is to outlive all that goes wrong."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import yaml

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.faults.hasty import AUTH_WAIT_S, PROGRAM
from tests.faults.talk import QUESTION, Talk
from tests.support.settings import db_block, free_port

PATIENCE_S = 60.0
WATCHDOG_S = 2.0
# A fault may be told so often: as it comes, as it changes, as it goes.
MOST_WARNINGS = 12
MOST_REPEATS = 4
# No frame is lost for a burst that a busy machine takes its time for.
SEND_QUEUE = 100_000
_LEVELS = re.compile(r"^[\d:]{8} (WARNING|ERROR|CRITICAL) +(.*)", re.MULTILINE)
_ROWS = "SELECT id, message, delete_at FROM posts"
_OPEN = """
SELECT 'job', id::text, state || ' ' || reason FROM jobs WHERE finished_at IS NULL
UNION ALL
SELECT 'gap', channel_id, reason FROM gaps WHERE closed_at IS NULL
AND channel_id NOT IN (SELECT channel_id FROM channels WHERE NOT is_accessible)
"""


class Stage:
    """The daemon and what it is held against."""

    def __init__(
        self, *, sandbox: Sandbox, town: Town, config: Path, database: Database
    ) -> None:
        self.sandbox = sandbox
        self.faults = sandbox.faults
        self.scene = sandbox.scene
        self.town = town
        self._running: DaemonProcess | None = None
        self._port: int = yaml.safe_load(config.read_text())["backend"]["port"]
        self._config = config
        self._database = database
        self._questions: list[str] = []
        self._pid = self._log_at = self._beats_before = 0

    def start(self) -> None:
        """Another daemon, if there was one before."""
        self.stop()
        self._running = DaemonProcess(
            self._config, program=PROGRAM, watchdog_s=WATCHDOG_S
        )
        self._running.start()
        self._pid = self.daemon.pid
        self._log_at = self._beats_before = 0

    def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    @property
    def daemon(self) -> DaemonProcess:
        assert self._running is not None
        return self._running

    def begin(self) -> None:
        """What is logged from now on belongs to the next fault."""
        self._wait(lambda: self.is_ready, "ready")
        self._log_at, self._beats_before = len(self.daemon.log), self._beats()

    def end(self) -> None:
        """Whatever the fault was, it is over."""
        self.faults.heal()
        self.sandbox.settings.rate_per_s = 0
        self.let_in(True)

    def let_in(self, is_valid: bool) -> None:
        """The bot's token counts, or does not."""
        token_id = self.scene.world.index.token_ids[self.town.token]
        with self.scene.world.lock:
            self.scene.people.set_token_active(token_id, is_valid)

    @contextmanager
    def talk(self) -> Iterator[Talk]:
        """People talk as long as the block lasts, and are all to be answered."""
        talk = Talk(self.sandbox, self.town)
        self._questions = talk.questions
        try:
            with talk:
                yield talk
        except AssertionError as error:
            error.add_note(self.log[-6000:])
            raise

    # What is seen of it.

    @property
    def log(self) -> str:
        """What was logged since the fault began."""
        return self.daemon.log[self._log_at :]

    def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    @property
    def is_ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._database.transaction() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def wait_for_row(self, channel_id: str, message: str) -> None:
        statement = "SELECT 1 FROM posts WHERE channel_id = %s AND message = %s"
        self._wait(lambda: self.rows(statement, channel_id, message), message)

    def wait_for(self, asked: tuple[Any, ...]) -> None:
        """Until the database has such a row."""
        self._wait(lambda: self.rows(*asked), str(asked)[:500])

    def probe(self) -> str:
        """A question that nobody needs to answer, and a moment for it."""
        post_id = self.scene.post(self.town.channel, self.town.bob, QUESTION)
        threading.Event().wait(0.2)
        return post_id

    # How it ends.

    def check(self) -> None:
        """After the fault: nothing is lost, doubled or unanswered; the process lives.

        It told what happened, but did not go on and on about it.
        """
        self.end()
        self._wait(lambda: not self.complaints(), self.complaints)
        self._wait(lambda: self.is_ready, "ready")
        assert not self.doubles()
        assert self.daemon.exit_code is None
        assert self.daemon.pid == self._pid
        assert "Traceback" not in self.daemon.log, self.daemon.log
        self._wait(lambda: self._beats() > self._beats_before, "a living heart")
        self._check_log()

    def complaints(self) -> list[str]:
        """What is missing, of one kind; it may still come. To look for all is dear."""
        return (
            [str(row) for row in self.rows(_OPEN)]
            or [str(each) for each in self.sandbox.ledger.lost(self._archived())]
            or self._unanswered()
        )

    def doubles(self) -> list[str]:
        """What is there twice; nothing makes that good."""
        ledger = self.sandbox.ledger
        said = ledger.entries(user_id=self.town.bot, contains="answer to")
        texts = Counter(entry.text for entry in said)
        twice = [text for text, count in texts.items() if count > 1]
        return [*ledger.doubled(self._archived()), *ledger.repeated(), *twice]

    def _beats(self) -> int:
        return len(self.daemon.notices("WATCHDOG"))

    def _archived(self) -> list[dict[str, Any]]:
        names = ("id", "message", "delete_at")
        return [dict(zip(names, row, strict=True)) for row in self.rows(_ROWS)]

    def _unanswered(self) -> list[str]:
        ledger, bot = self.sandbox.ledger, self.town.bot
        return [
            f"unanswered: {question}"
            for question in self._questions
            if not ledger.answers(question, by=bot)
        ]

    def _check_log(self) -> None:
        told = [match[2] for match in _LEVELS.finditer(self.log)]
        assert len(told) <= MOST_WARNINGS, self.log
        repeats = Counter(told).most_common(1)
        assert not repeats or repeats[0][1] <= MOST_REPEATS, self.log

    def _wait(self, is_true: Any, what: Any) -> None:
        until, pause = time.monotonic() + PATIENCE_S, threading.Event()
        while not is_true():
            told = what() if callable(what) else what
            assert time.monotonic() < until, f"{told}\n{self.log[-6000:]}"
            pause.wait(0.05)


def reconnected(scene: Stage, talk: Talk, times: int = 1) -> None:
    """So often a connection was opened, or went on, since the fault began."""
    talk.go_on_until(
        lambda: scene.log.count("is open:") + scene.log.count("goes on") >= times
    )


@contextmanager
def stage(dsn: Dsn, folder: Path) -> Iterator[Stage]:
    """A stage on a migrated database, with its daemon running and connected."""
    settings = Settings(send_queue=SEND_QUEUE, auth_wait_s=AUTH_WAIT_S)
    with Sandbox(settings=settings) as sandbox, Database(dsn) as database:
        town = build(sandbox.scene)
        config = folder / "malexbot.yaml"
        config.write_text(_config(folder, sandbox, town, dsn))
        made = Stage(sandbox=sandbox, town=town, config=config, database=database)
        try:
            made.start()
            made.daemon.wait_for_log("is open")
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
                "listen_channels": ["*"],
                "direct": "archive",
                "target_events_processors": {"posted": ["save", "response"]},
            },
            "backfill": {"every": "1s"},
            "responses": [
                {
                    "when": f"event.message.text.startswith({QUESTION!r})",
                    "reply": "answer to {{ event.event_id }}",
                    "thread": True,
                    "direct": True,
                }
            ],
            "workers": {"answers_per_minute": 1000},
        }
    )
