"""backfill: a history that was there before, read by REST, beside a bare pager.

A server asks its database before it answers, and stands on another machine; the
sandbox does neither, and shares ours. So it waits PAGE_S, asleep, before each page of
posts: a page of 200 then takes some 12 ms on an idle machine, as one connection read
12 800 to 20 800 posts/s from a real Mattermost 5.37. What both make of a server that
answers at once is told too, without a goal.

Both sides have the same server, and for both the archive holds all posts at the end.
"""

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
PAGE_S = 0.008
AT_ONCE = 0.0
GOAL = Goal(2.0, is_least=True)

Pair = tuple[Run, Run]


def backfill(stage: Stage, scale: Scale) -> Sequence[Figure]:
    real: list[Pair] = []
    instant: list[Pair] = []
    with Mattermost(channels=CHANNELS) as server:
        wanted = server.fill(scale.of(100_000, 3_000))
        for _ in range(scale.turns):
            for thinks_s, pairs in ((PAGE_S, real), (AT_ONCE, instant)):
                server.think(thinks_s)
                ours = _malexbot(stage, server, wanted)
                pairs.append((ours, _bare(stage, server, wanted)))
    return [
        *_figures(f"a page in {PAGE_S * 1000:g} ms", real, GOAL),
        *_figures("pages at once", instant),
    ]


def _figures(
    server: str, pairs: Sequence[Pair], goal: Goal | None = None
) -> list[Figure]:
    ours, bare = [run for run, _ in pairs], [run for _, run in pairs]
    return [
        Figure(
            row="backfill",
            name=f"{what}, {server}",
            unit=unit,
            ours=of(ours),
            beside=of(bare),
            beside_name=PAGER,
            goal=bound,
        )
        for what, unit, of, bound in (
            ("speed", "posts/s", speeds, goal),
            ("CPU of the process", "µs/post", costs, None),
        )
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
