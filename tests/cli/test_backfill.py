"""`malexbot backfill`: has the daemon read now, or read again, what was said."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import backfill as module
from malexbot.cli import following, main
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.orders import BACKFILL, BackfillOrders
from malexbot.pipeline.runner import Runner, Work
from malexbot.ports import ChannelNews
from malexbot.storage.backlog import Backlog, JobView
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.leadership import Leadership
from tests.cli.test_database import config, one_line
from tests.pipeline.test_orders import Asked, Reads

Run = Callable[..., Result]
WAIT_S = 30.0
UNKNOWN_ID = "x" * 26


class Daemon:
    """Holds the lock and does orders; they are obeyed when a test says so."""

    def __init__(self, database: Database) -> None:
        self.leadership = Leadership(database.dsn)
        assert self.leadership.try_take()
        self._jobs = DatabaseJobs(database, epoch=lambda: self.leadership.epoch)
        self.reads = Reads("as ordered: 12 of 50 channels, 3000 posts")
        orders = BackfillOrders({"mattermost": self.reads})
        self._runner = Runner(jobs=self._jobs, handlers={BACKFILL: orders})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._looks = 0
        self.obey_after: int | None = 1
        """So many looks later it is done."""
        self.channels = 50

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.leadership.close()

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            for job in self._jobs.claim(kinds=[BACKFILL], limit=9, lease_s=90):
                work = Work(job, Hold(lease_s=90, time_out_s=60))
                self._looks += 1
                if self.obey_after is not None and self._looks > self.obey_after:
                    for asked in self.reads.asked:
                        self._obey(asked)
                self._runner.run(work, goes_on=False)

    def _obey(self, asked: Asked) -> None:
        asked.channels, asked.posts, asked.is_done = self.channels, 3000, True


@pytest.fixture
def daemon(database: Database) -> Iterator[Daemon]:
    made = Daemon(database)
    yield made
    made.stop()


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    file = config(database.dsn, tmp_path / "malexbot.yaml")
    settings = yaml.safe_load(file.read_text())
    settings["mattermost"] = {"http_host": "http://localhost:1", "token": "secret"}
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture
def run(file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(following, "ALONE_S", 0.5)

    def invoke(*args: object) -> Result:
        words = ["backfill", "--config", str(file), *map(str, args)]
        return CliRunner().invoke(main, words)

    return invoke


def orders(database: Database) -> list[JobView]:
    return [job for job in Backlog(database).list() if job.kind == BACKFILL]


def test_an_order_is_followed_to_its_end(run: Run, daemon: Daemon) -> None:
    daemon.start()
    result = run()
    assert (result.exit_code, result.stdout) == (0, "read: 50 channels, 3000 posts\n")
    assert "read all channels\n" in result.stderr
    assert "  as ordered: 12 of 50 channels, 3000 posts\n" in result.stderr
    assert daemon.reads.asked == [Asked(None, None, True, 50, 3000)]


def test_a_channel_and_a_time_are_ordered(
    run: Run, daemon: Daemon, database: Database
) -> None:
    epoch = daemon.leadership.epoch
    bookmarks = DatabaseBookmarks(database, epoch=lambda: epoch)
    bookmarks.note(
        "mattermost", [ChannelNews("c1", "t", "O", "town", "Town Square", 0, 0)]
    )
    daemon.start()
    result = run("--channel", "town", "--since", "2026-01-31")
    assert "read Town Square (c1), back to 2026-01-31 " in result.stderr
    (asked,) = daemon.reads.asked
    assert (asked.channel_id, asked.since_ms) == ("c1", 1769817600000)


def test_only_an_id_may_be_one_that_is_not_known_yet(
    run: Run, daemon: Daemon, database: Database
) -> None:
    assert "no channel 'village' is known" in one_line(run("--channel", "village"))
    assert orders(database) == []
    daemon.channels = 0
    daemon.start()
    failed = run("--channel", UNKNOWN_ID)
    assert failed.exit_code == 1
    assert "is dead: nothing was read: listen_channels" in failed.stderr
    assert daemon.reads.asked[0].channel_id == UNKNOWN_ID


def test_who_does_not_wait_leaves_the_order_to_the_daemon(
    run: Run, daemon: Daemon, database: Database
) -> None:
    result = run("--no-wait")
    assert result.exit_code == 0
    (order,) = orders(database)
    assert (order.state, order.name) == ("ready", "mattermost")
    assert json.loads(order.payload or "") == {"channel": None, "since_ms": None}


def test_the_same_order_is_followed_and_not_given_twice(
    run: Run, daemon: Daemon, database: Database
) -> None:
    run("--no-wait")
    run("--no-wait")
    daemon.start()
    assert run().exit_code == 0
    assert len(orders(database)) == len(daemon.reads.asked) == 1


def test_without_a_daemon_the_order_waits(run: Run, database: Database) -> None:
    result = run()
    assert result.exit_code == 75
    assert "waits in the queue until one runs: systemctl start" in result.stderr
    assert [order.state for order in orders(database)] == ["ready"]


def test_a_daemon_that_ends_is_not_waited_for_for_ever(
    run: Run, daemon: Daemon
) -> None:
    daemon.obey_after = None
    daemon.start()
    ending = threading.Timer(0.5, daemon.stop)
    ending.start()
    result = run()
    ending.join()
    assert result.exit_code == 75
    assert "no daemon is active" in result.stderr


def test_an_order_that_is_dropped_ends_the_waiting(
    run: Run, daemon: Daemon, database: Database
) -> None:
    run("--no-wait")
    (order,) = orders(database)
    dropping = threading.Timer(0.3, lambda: Backlog(database).drop(order.id))
    dropping.start()
    result = run()
    dropping.join()
    assert result.exit_code == 1
    assert f"job {order.id} is dropped: dropped by hand" in result.stderr


def test_nothing_can_be_read_without_a_messenger(
    database: Database, tmp_path: Path
) -> None:
    file = config(database.dsn, tmp_path / "malexbot.yaml")
    result = CliRunner().invoke(main, ["backfill", "--config", str(file)])
    assert "has no mattermost block" in one_line(result)


def test_where_nobody_watches_the_same_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = module.Lines()
    for told in ("waits", "waits", "edits: 1 of 9 channels, 5 posts"):
        lines(told)
    lines("edits: 2 of 9 channels, 5 posts")
    monkeypatch.setattr(module, "TOLD_EVERY_S", 0.0)
    for done in (3, 3):
        lines(f"edits: {done} of 9 channels, 5 posts")
    assert capsys.readouterr().err.splitlines() == [
        "  waits",
        "  edits: 1 of 9 channels, 5 posts",
        "  edits: 3 of 9 channels, 5 posts",
    ]


# Who runs the tests in the background ignores Ctrl-C, and so do all below him.
OF_A_TERMINAL = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from malexbot.cli import main; main()"
)


def test_who_interrupts_it_leaves_the_order_in_the_queue(
    file: Path, daemon: Daemon, database: Database
) -> None:
    daemon.obey_after = None
    daemon.start()
    terminal, side = pty.openpty()
    words = ["-c", OF_A_TERMINAL, "backfill", "--config", str(file)]
    try:
        with subprocess.Popen([sys.executable, *words], stderr=side) as followed:
            try:
                os.close(side)
                told = read_until(terminal, "12 of 50 channels")
                followed.send_signal(signal.SIGINT)
                told += read_until(terminal, "malexbot jobs show")
                assert followed.wait(WAIT_S) == 130
            finally:
                followed.kill()
    finally:
        os.close(terminal)
    assert "read all channels" in told
    assert [order.state for order in orders(database)] != ["dropped"]
    assert orders(database)[0].finished_at is None


def read_until(terminal: int, text: str) -> str:
    """What a person sees on the terminal up to this text."""
    told, end = "", time.monotonic() + WAIT_S
    while text not in told:
        assert time.monotonic() < end
        told += os.read(terminal, 4096).decode(errors="replace")
    return told
