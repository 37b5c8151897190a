"""A database that is away, or silent, is nothing but a pause."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.storage.embedded import Embedded
from tests.crash.proxy import Proxy
from tests.crash.stage import Stage, staged
from tests.crash.traffic import Flood, Traffic

AWAY_S = 20.0
PER_SECOND = 1000
# How long it tries in vain to connect, once it has noticed.
SILENT_S = 8.0
# 8 s if the lock's session is only asked whether it lives; a statement at work may
# take 30 s, and 5 s more for its answer.
NOTICED_WITHIN_S = 45.0
# systemd would want a sign of life that often.
WATCHDOG_S = 6.0


@pytest.fixture
def server() -> Iterator[Embedded]:
    """A PostgreSQL of this test alone, which may be stopped and started.

    By a short path: the way to a long one ends with the server that is stopped.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mb-") as place,
        Embedded(Path(place, "server"), fsync=False) as embedded,
    ):
        yield embedded


@pytest.mark.slow
def test_20_s_without_postgresql_at_1000_events_a_second(
    server: Embedded, tmp_path: Path, choice: random.Random
) -> None:
    with staged(server.dsn, tmp_path, seen_by_daemon=server.dsn) as stage:
        town = stage.town
        daemon = stage.start(WATCHDOG_S)
        daemon.wait_for_log("posts read")
        channels = [town.channel, town.second, town.private]
        with (
            Traffic(stage.sandbox, town, choice) as traffic,
            Flood(stage.sandbox, channels, town.alice, PER_SECOND) as flood,
        ):
            _watch(daemon, 2)
            server.stop()
            began = flood.posts
            _watch(daemon, AWAY_S)
            assert flood.posts - began > 0.9 * AWAY_S * PER_SECOND
            assert "intake: cannot write" in daemon.status
            assert "mattermost: down" in daemon.status
            server.start()
            _watch(daemon, 2)
        stage.wait_until_right(traffic.questions)
        assert "the intake is full" in daemon.log
        assert "the intake is full" in stage.judge.gaps()
        assert "hangs" not in daemon.log


@pytest.mark.slow
def test_a_half_open_database_keeps_the_watchdog_content(
    stage: Stage, proxy: Proxy, choice: random.Random
) -> None:
    daemon = stage.start(WATCHDOG_S)
    daemon.wait_for_log("posts read")
    # What is under way is written, so that this takes no half a minute more.
    _watch(daemon, 2)
    proxy.hold()
    # By now the lock's session has been asked whether it lives.
    _watch(daemon, 2)
    with Traffic(stage.sandbox, stage.town, choice) as traffic:
        _watch_until(daemon, "waiting for the database")
        _watch(daemon, SILENT_S)
        assert stage.judge.archived() == 0, "the line was not silent"
        proxy.heal()
        _watch(daemon, 2)
    stage.wait_until_right(traffic.questions)
    assert "hangs" not in daemon.log


def _watch(daemon: DaemonProcess, seconds: float) -> None:
    """As systemd does: each sign of life has to come in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _wait_for_a_sign_of_life(daemon)


def _watch_until(daemon: DaemonProcess, told: str) -> None:
    until = time.monotonic() + NOTICED_WITHIN_S
    while told not in daemon.status:
        assert time.monotonic() < until, f"nobody noticed: {daemon.status}"
        _wait_for_a_sign_of_life(daemon)


def _wait_for_a_sign_of_life(daemon: DaemonProcess) -> None:
    seen = len(daemon.notices("WATCHDOG"))
    daemon.wait_until(lambda: len(daemon.notices("WATCHDOG")) > seen, WATCHDOG_S)
