"""The life of the daemon: the whole process, with real signals."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

from malexbot.app import Composition
from malexbot.config.model import Config
from malexbot.daemon import Daemon
from malexbot.pipe import Parts
from malexbot.runtime.logs import Logs
from malexbot.runtime.systemd import Notifier
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.duty import Active
from tests.process.conftest import Start
from tests.support.postgres import Server
from tests.support.settings import free_port
from tests.support.threads import eventually

WriteConfig = Callable[..., Path]


def port_of(config: Path) -> int:
    port: int = yaml.safe_load(config.read_text())["backend"]["port"]
    return port


def ask(config: Path, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urlopen(f"http://127.0.0.1:{port_of(config)}{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_what_is_known_holds_as_long_as_it_is_the_same_server_and_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    composed: list[Parts] = []

    def compose(parts: Parts) -> Composition:
        composed.append(parts)
        return Composition(services=(), prepare=lambda config: lambda: None)

    daemon = Daemon(
        config_file=Path("malexbot.yaml"),
        config=Config(),
        logs=Logs(io.StringIO()),
        notifier=Notifier(None),
        compose=compose,
    )
    nothing: Any = None
    for epoch, timeline, beginnings in (
        (1, "00000001", 1),
        (2, "00000001", 1),
        # Not every server tells it.
        (3, "", 1),
        (4, "00000001", 1),
        (5, "00000002", 2),
        (7, "00000002", 3),
        (7, "00000002", 3),
    ):
        daemon._take(Active(nothing, nothing, epoch, timeline))
        assert len(composed) == beginnings
    told = [record.message.partition(" ")[0] for record in caplog.records]
    assert told == ["another"] * 2
    assert caplog.text.count("another server has taken over") == 1


def test_starts_serves_and_stops(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    config = write_config("a", empty_database)
    daemon = start(config)
    daemon.wait_for_status("active (epoch 1)")
    daemon.wait_for_log("listens on")
    assert daemon.notices("READY") == ["1"]
    assert ask(config, "/healthz") == (200, {"status": "alive"})
    assert ask(config, "/readyz")[0] == 200
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert daemon.notices("STOPPING") == ["1"]
    assert "Traceback" not in daemon.log
    with pytest.raises(OSError):
        ask(config, "/healthz")


def test_term_while_busy_drains_and_exits_0(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", empty_database), "busy")
    daemon.wait_for_status("active (epoch")
    daemon.signal(signal.SIGTERM)
    daemon.wait_for_log("draining")
    assert daemon.wait() == 0
    assert "drained: True" in daemon.log
    assert "left behind" not in daemon.log


def test_a_second_term_skips_the_drain(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", empty_database, drain_timeout="300s"), "endless")
    daemon.wait_for_status("active (epoch")
    daemon.signal(signal.SIGTERM)
    daemon.wait_for_log("draining")
    started = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    assert time.monotonic() - started < 20
    assert "not waited for" in daemon.log


def test_the_drain_is_bounded(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", empty_database, drain_timeout="1s"), "endless")
    daemon.wait_for_status("active (epoch")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0


def test_hup_takes_over_good_settings(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    config = write_config("a", empty_database)
    daemon = start(config)
    daemon.wait_for_status("active (epoch")
    settings = yaml.safe_load(config.read_text())
    settings["log"]["level"] = "warning"
    settings["backend"]["port"] = free_port()
    config.write_text(yaml.safe_dump(settings))
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: len(daemon.notices("READY")) == 2)
    assert daemon.notices("RELOADING") == ["1"]
    assert 0 < int(daemon.notices("MONOTONIC_USEC")[0]) <= time.monotonic_ns() // 1000
    daemon.wait_for_log("needs a restart to take effect: backend")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert "stopped" not in daemon.log


def test_hup_with_a_broken_file_keeps_the_old_settings_and_says_why(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    config = write_config("a", empty_database)
    daemon = start(config)
    daemon.wait_for_status("active (epoch")
    daemon.wait_for_log("listens on")
    good = config.read_text()
    config.write_text(good.replace("backend:", "backned:"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("reload refused")
    daemon.wait_until(lambda: len(daemon.notices("READY")) == 2)
    assert "did you mean 'backend'?" in daemon.log
    assert "reload: refused" in daemon.status
    config.write_text(good)
    assert ask(config, "/healthz")[0] == 200
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("changed: nothing")
    daemon.wait_until(lambda: "refused" not in daemon.status)


def test_kill_9_of_the_active_one_hands_over_to_the_standby(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    first = start(write_config("a", empty_database))
    first.wait_for_status("active (epoch 1)")
    config = write_config("b", empty_database)
    second = start(config)
    second.wait_for_status("standby")
    assert str(first.pid) in second.status
    assert second.notices("READY") == ["1"]
    with pytest.raises(OSError):
        ask(config, "/healthz")
    first.signal(signal.SIGKILL)
    assert second.wait_for_status("active (epoch 2)") < 5
    second.wait_for_log("listens on")
    assert ask(config, "/healthz")[0] == 200


class Probe:
    """The rows that the writers of two daemons write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as cursor:
            cursor.execute(
                "CREATE TABLE probe (pid int, epoch bigint,"
                " at timestamptz DEFAULT clock_timestamp())"
            )

    def of(self, pid: int) -> tuple[int, datetime, datetime]:
        """How many rows it wrote, and when the first and the last."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT count(*), min(at), max(at) FROM probe WHERE pid = %s", (pid,)
            )
            count, first, last = cursor.fetchone() or (0, None, None)
        return count, first, last

    def wait_for(self, pid: int) -> None:
        until = time.monotonic() + 20
        while not self.of(pid)[0]:
            assert time.monotonic() < until, f"{pid} writes nothing"


@pytest.mark.slow
def test_a_stopped_active_one_is_followed_and_writes_nothing_any_more(
    migrated_database: Dsn, database: Database, write_config: WriteConfig, start: Start
) -> None:
    probe = Probe(database)
    first_config = write_config("a", migrated_database)
    first = start(first_config, "writer")
    first.wait_for_status("active (epoch")
    probe.wait_for(first.pid)
    second = start(write_config("b", migrated_database), "writer")
    second.wait_for_status("standby")
    first.signal(signal.SIGSTOP)
    second.wait_for_status("active (epoch", 6)
    probe.wait_for(second.pid)
    before = probe.of(first.pid)
    threading.Event().wait(20)
    first.signal(signal.SIGCONT)
    first.wait_for_status("standby")
    first.wait_for_log("stepping down")
    first.wait_until(lambda: "web" not in first.status)
    with pytest.raises(OSError):
        ask(first_config, "/healthz")
    assert probe.of(first.pid) == before
    assert before[2] < probe.of(second.pid)[1]
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    first.wait_for_status("active (epoch")


def test_one_that_was_followed_and_comes_back_starts_afresh(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    first = start(write_config("a", empty_database))
    first.wait_for_status("active (epoch 1)")
    first.wait_for_log("listens on")
    second = start(write_config("b", empty_database))
    second.wait_for_status("standby")
    first.signal(signal.SIGSTOP)
    second.wait_for_status("active (epoch 2)")
    second.signal(signal.SIGKILL)
    second.wait()
    first.signal(signal.SIGCONT)
    first.wait_for_status("active (epoch 3)")
    first.wait_until(lambda: first.log.count("listens on") == 2)
    first.wait_for_status("web: listens on")


def test_a_refusal_while_running_is_an_outage_that_heals(
    postgres: Server, write_config: WriteConfig, start: Start
) -> None:
    dsn = postgres.empty()
    config = write_config("a", dsn)
    daemon = start(config)
    daemon.wait_for_status("active (epoch 1)")
    daemon.wait_for_status("web: listens on")
    away = dsn.named(f"{dsn.dbname}_away")
    end_sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    rename = f"ALTER DATABASE {dsn.dbname} RENAME TO {away.dbname}"
    postgres.execute(f"ALTER DATABASE {dsn.dbname} ALLOW_CONNECTIONS false")
    postgres.execute(f"{end_sessions} WHERE datname = $${dsn.dbname}$$")
    postgres.execute(rename)
    daemon.wait_for_log("does not exist")
    assert ask(config, "/readyz")[0] == 503
    postgres.execute(f"ALTER DATABASE {away.dbname} RENAME TO {dsn.dbname}")
    postgres.execute(f"ALTER DATABASE {dsn.dbname} ALLOW_CONNECTIONS true")
    daemon.wait_for_status("active (epoch 2)")
    # Each part finds out for itself.
    eventually(lambda: ask(config, "/readyz")[0] == 200)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    postgres.drop(dsn)


def test_a_failure_of_the_main_thread_ends_masked_and_tidy(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    token = {"http_host": "https://chat.invalid", "token": "planted-t0ken"}
    config = write_config("a", empty_database, mattermost=token)
    daemon = start(config, "broken")
    assert daemon.wait() == 1
    assert "the main thread failed" in daemon.log
    assert "cannot build with ***" in daemon.log
    assert "planted-t0ken" not in daemon.log
    assert "stopped" in daemon.log
    assert daemon.notices("STOPPING") == ["1"]


def test_a_pipe_for_a_config_is_refused_and_waits_for_nobody(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    config = write_config("a", empty_database)
    daemon = start(config)
    daemon.wait_for_status("active")
    config.unlink()
    os.mkfifo(config)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("it is a pipe, not a file")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_runs_without_standard_error(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    config = str(write_config("a", empty_database))
    shell = ("sh", "-c", f'exec {sys.executable} -m malexbot run "$@" 2>&-', "sh")
    daemon = start(Path(config), program=shell)
    daemon.wait_for_status("active")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_usr1_tells_where_the_threads_are(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", empty_database))
    daemon.wait_for_status("active (epoch")
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_log("thread duty:")
    daemon.wait_for_log("duty.py")
    daemon.wait_for_log("thread MainThread:")


def test_a_bad_config_ends_with_78_before_anything_starts(
    folder: Path, start: Start
) -> None:
    config = folder / "bad.yaml"
    config.write_text("mattermost: {tokne: x}\n")
    daemon = start(config)
    assert daemon.wait() == 78
    assert "did you mean 'token'?" in daemon.log
    assert "Traceback" not in daemon.log
    assert daemon.notices("READY") == []


def test_a_refused_database_ends_with_78(
    empty_database: Dsn, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", empty_database.named("nowhere")))
    assert daemon.wait() == 78
    assert "CREATE DATABASE" in daemon.log
    assert "Traceback" not in daemon.log


def test_a_database_that_is_down_is_waited_for(
    write_config: WriteConfig, start: Start
) -> None:
    nobody = Dsn(host="127.0.0.1", port=free_port(), password="pa55-w0rd-planted")
    daemon = start(write_config("a", nobody))
    daemon.wait_for_status("waiting for the database")
    assert daemon.notices("READY") == ["1"]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert "pa55-w0rd-planted" not in daemon.log
