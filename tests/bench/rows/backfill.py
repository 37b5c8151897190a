"""backfill: a history that was there before, read by REST, beside a bare pager."""

from __future__ import annotations

import time
from collections.abc import Sequence

from malexbot.sandbox.daemon import DaemonProcess
from tests.bench.figures import Figure, Goal
from tests.bench.mattermost import Mattermost, Wanted
from tests.bench.rows.live import Run, costs, speeds
from tests.bench.stage import PATIENCE_S, Rows, Scale, Stage, Worker

CHANNELS = 50
PAGER = "bare pager"


def backfill(stage: Stage, scale: Scale) -> Sequence[Figure]:
    posts = scale.of(100_000, 3_000)
    with Mattermost(channels=CHANNELS) as server:
        wanted = server.fill(posts)
        pairs = [
            (_malexbot(stage, server, wanted), _bare(stage, server, wanted))
            for _ in range(scale.turns)
        ]
    ours, bare = [run for run, _ in pairs], [run for _, run in pairs]
    return [
        Figure(
            row="backfill",
            name="speed",
            unit="posts/s",
            ours=speeds(ours),
            beside=speeds(bare),
            beside_name=PAGER,
            goal=Goal(2.0, is_least=True),
        ),
        Figure(
            row="backfill",
            name="CPU of the process",
            unit="µs/post",
            ours=costs(ours),
            beside=costs(bare),
            beside_name=PAGER,
        ),
    ]


def _malexbot(stage: Stage, server: Mattermost, wanted: Wanted) -> Run:
    """From READY on, with all that it has to find out first."""
    with stage.database() as dsn, Rows(dsn) as rows:
        with DaemonProcess(stage.config(server.place, dsn)) as daemon:
            daemon.wait_until(lambda: bool(daemon.notices("READY")), PATIENCE_S)
            return _watch(Worker(daemon.pid), rows, wanted)


def _bare(stage: Stage, server: Mattermost, wanted: Wanted) -> Run:
    with stage.database() as dsn, Rows(dsn) as rows:
        with stage.bare("pager", server.place, dsn) as pager:
            return _watch(pager, rows, wanted)


def _watch(worker: Worker, rows: Rows, wanted: Wanted) -> Run:
    cpu_s, start = worker.cpu_s, time.monotonic()
    took_s = rows.wait_for(wanted) - start
    used_s = worker.cpu_s - cpu_s
    return Run(wanted.posts / took_s, used_s / wanted.posts * 1e6)
