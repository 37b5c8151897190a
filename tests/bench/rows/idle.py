"""idle: what it costs to have it, and how soon it is there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from malexbot.sandbox.daemon import DaemonProcess
from tests.bench.figures import Figure, Goal
from tests.bench.mattermost import Mattermost
from tests.bench.stage import PATIENCE_S, Scale, Stage, Worker

CHANNELS = 50
MINUTE_S = 60


def idle(stage: Stage, scale: Scale) -> Sequence[Figure]:
    window_s = scale.of(MINUTE_S, 3)
    cpu_s: list[float] = []
    rss, threads, starts, checks = list(cpu_s), list(cpu_s), list(cpu_s), list(cpu_s)
    with Mattermost(channels=CHANNELS) as server, stage.database() as dsn:
        config = stage.config(server.place, dsn)
        for _ in range(scale.turns):
            checks.append(_check(config))
            with DaemonProcess(config) as daemon:
                starts.append(_ready(daemon))
                daemon.wait_for_status(" read", PATIENCE_S)
                worker = Worker(daemon.pid)
                cpu_s.append(_used(worker, window_s) * MINUTE_S / window_s)
                rss.append(worker.rss_mb)
                threads.append(worker.threads)
    return [
        Figure(row="idle", name="CPU a minute", unit="s", ours=cpu_s, goal=Goal(0.3)),
        Figure(row="idle", name="memory", unit="MB", ours=rss, goal=Goal(90)),
        Figure(row="idle", name="threads", unit="", ours=threads),
        Figure(
            row="idle", name="start to READY", unit="s", ours=starts, goal=Goal(1.5)
        ),
        Figure(row="idle", name="check", unit="s", ours=checks, goal=Goal(0.5)),
    ]


def _ready(daemon: DaemonProcess) -> float:
    """From the exec on: the daemon was started a moment ago."""
    return daemon.wait_until(lambda: bool(daemon.notices("READY")), PATIENCE_S)


def _used(worker: Worker, seconds: float) -> float:
    before = worker.cpu_s
    threading.Event().wait(seconds)
    return worker.cpu_s - before


def _check(config: Path) -> float:
    started = time.monotonic()
    command = [sys.executable, "-m", "malexbot", "check", "--config", str(config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started
