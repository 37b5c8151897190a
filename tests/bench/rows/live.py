"""One run of live posts: released at once, measured until the last one is committed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from malexbot.storage.dsn import Dsn
from tests.bench.mattermost import WORD, Mattermost
from tests.bench.stage import Rows, Stage, Worker


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    per_second: float
    cpu_us: float
    """What the process under measurement used for each event."""
    connections: int = 0
    """More than one: the daemon dropped its connection, and fetched the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """So many posts in so many channels, one of so many wanted."""

    stage: Stage
    posts: int
    channels: int = 50
    wanted_of: int = 1

    def malexbot(self) -> Run:
        with Mattermost(channels=self.channels) as server:
            with self.stage.database() as dsn:
                return self.malexbot_on(server, dsn)

    def malexbot_on(self, server: Mattermost, dsn: Dsn) -> Run:
        block = {"filter_messages_contains": [WORD]} if self.wanted_of > 1 else {}
        daemon = self.stage.malexbot(server.place, dsn, mattermost=block)
        run = self._run(server, dsn, daemon)
        with Rows(dsn) as rows:
            number = rows.ask("SELECT max(number) FROM connections")
        return Run(run.per_second, run.cpu_us, number)

    def bare(self) -> Run:
        """The loop that reads and writes and does nothing else."""
        with Mattermost(channels=self.channels) as server:
            with self.stage.database() as dsn:
                word = WORD if self.wanted_of > 1 else ""
                loop = self.stage.bare("archive", server.place, dsn, word)
                return self._run(server, dsn, loop)

    def _run(
        self, server: Mattermost, dsn: Dsn, started: AbstractContextManager[Worker]
    ) -> Run:
        with started as worker, Rows(dsn) as rows:
            before = rows.count()
            wanted = server.prepare(self.posts, self.wanted_of)
            cpu_s, start = worker.cpu_s, time.monotonic()
            server.release()
            took_s = rows.wait_for(wanted, before) - start
            used_s = worker.cpu_s - cpu_s
        return Run(self.posts / took_s, used_s / self.posts * 1e6)


def speeds(runs: Sequence[Run]) -> list[float]:
    return [run.per_second for run in runs]


def costs(runs: Sequence[Run]) -> list[float]:
    return [run.cpu_us for run in runs]
