"""The stage of a measurement: PostgreSQL, malexbot, and what runs beside it.

Each is a process of its own; what they used is read from /proc.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.storage.dsn import Dsn
from malexbot.storage.embedded import Embedded
from tests.bench.mattermost import Place, Wanted
from tests.support.postgres import Server

_TICKS = os.sysconf("SC_CLK_TCK")
_COMMITS = 100
# How often the table is looked at.
_LOOK_S = 0.02
# Nothing here takes longer, except for a machine that does not get on.
PATIENCE_S = 600.0


class NotFinished(Exception):
    """What was to be measured did not come to its end."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it: the whole bench, or a glance that everything works."""

    turns: int
    is_quick: bool

    def of(self, whole: int, quick: int) -> int:
        return quick if self.is_quick else whole


class Stage:
    """One PostgreSQL for all that is measured, with a database for each turn."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder

    @contextmanager
    def database(self) -> Iterator[Dsn]:
        """One with malexbot's tables; the bare loops write into the same."""
        dsn = self.server.migrated()
        try:
            yield dsn
        finally:
            self.server.drop(dsn)

    def commit_ms(self) -> float:
        """What a small commit takes: the disk is a part of the machine."""
        with self.database() as dsn, Rows(dsn) as rows:
            took = []
            for number in range(_COMMITS):
                started = time.perf_counter()
                rows.do(f"INSERT INTO schema_version VALUES ({-number - 1}, '')")
                took.append((time.perf_counter() - started) * 1000)
        return median(took)

    def config(self, place: Place, dsn: Dsn, **blocks: Any) -> Path:
        """Of a daemon that listens to a Mattermost."""
        mattermost = {
            "http_host": place.url,
            "token": place.token,
            "listen_channels": ["*"],
            "target_events_processors": {"posted": ["save"]},
            **blocks.pop("mattermost", {}),
        }
        return self.settings(dsn, mattermost=mattermost, **blocks)

    def settings(self, dsn: Dsn, **blocks: Any) -> Path:
        """JSON is YAML too."""
        config = {
            "state_dir": str(self.folder / "state"),
            "backend": {"host": "127.0.0.1", "port": 0},
            "db": {
                "host": dsn.host,
                "port": dsn.port,
                "username": dsn.user,
                "name": dsn.dbname,
            },
            **blocks,
        }
        file = self.folder / "malexbot.yaml"
        file.write_text(json.dumps(config))
        return file

    @contextmanager
    def malexbot(self, place: Place, dsn: Dsn, **blocks: Any) -> Iterator[Worker]:
        """The daemon, when it has read every channel and hears what is said."""
        with DaemonProcess(self.config(place, dsn, **blocks)) as daemon:
            daemon.wait_for_status(" read", PATIENCE_S)
            yield Worker(daemon.pid)

    @contextmanager
    def bare(
        self, program: str, place: Place, dsn: Dsn | None = None, word: str = ""
    ) -> Iterator[Worker]:
        """One of the loops of `tests.bench.bare` beside a Mattermost."""
        with self.beside(
            program,
            url=place.url,
            socket_url=place.socket_url,
            token=place.token,
            database=dsn.parameters() if dsn else {},
            word=word,
        ) as worker:
            yield worker

    @contextmanager
    def beside(self, program: str, **told: Any) -> Iterator[Worker]:
        """One of the programs of `tests.bench.bare`, once it is ready."""
        command = [sys.executable, "-m", f"tests.bench.bare.{program}"]
        with subprocess.Popen(
            [*command, json.dumps(told)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                if process.stdout.readline() != "ready\n":
                    raise NotFinished(f"the bare {program} did not start")
                yield Worker(process.pid)
            finally:
                process.kill()


@contextmanager
def stage() -> Iterator[Stage]:
    """With the settings of the embedded server, which writes to the disk for sure."""
    with tempfile.TemporaryDirectory(prefix="mb-bench-") as name:
        with Embedded(Path(name)) as embedded:
            yield Stage(Server(embedded.dsn), Path(name))


class Worker:
    """A process that is measured."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def cpu_s(self) -> float:
        """User and system time of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def rss_mb(self) -> float:
        return self._status("VmRSS") / 1024

    @property
    def threads(self) -> int:
        return self._status("Threads")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


class Rows:
    """Watches the archive from outside, with as little weight as can be."""

    def __init__(self, dsn: Dsn) -> None:
        parameters: dict[str, Any] = dsn.parameters()
        self._connection = psycopg2.connect(**parameters)
        self._connection.autocommit = True

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, query: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    def do(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def count(self) -> int:
        return int(self.ask("SELECT count(*) FROM posts"))

    def wait_for(self, wanted: Wanted, before: int = 0) -> float:
        """Until all is committed beside the rows of before; when that was seen.

        Counting reads the whole table, so it waits until some that are known by
        their ids are there.
        """
        never, until = threading.Event(), time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            now = time.monotonic()
            if self._has(wanted.samples) and self.count() >= before + wanted.posts:
                return now
            never.wait(_LOOK_S)
        raise NotFinished(f"{self.count() - before} of {wanted.posts} rows came")

    def _has(self, ids: Sequence[str]) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM posts WHERE id = ANY(%s)", (list(ids),)
            )
            return bool(cursor.fetchone() == (len(set(ids)),))
