"""The daemon on its embedded PostgreSQL, and the watchdog over both."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from malexbot.sandbox.daemon import DaemonProcess
from tests.process.conftest import Start

pytestmark = pytest.mark.untraced

WriteConfig = Callable[..., Path]


def postmaster(folder: Path) -> int:
    return int((folder / "state/postgres/postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    """No also for a zombie: an adopted server's parent may be slow to bury it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not stat.rpartition(")")[2].startswith(" Z")


@pytest.fixture
def no_server_is_left(folder: Path) -> Iterator[None]:
    yield
    try:
        os.kill(postmaster(folder), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass


@pytest.mark.usefixtures("no_server_is_left")
def test_the_database_comes_and_goes_with_the_daemon(
    folder: Path, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", None))
    daemon.wait_for_status("active (epoch 1)")
    server = postmaster(folder)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert not is_alive(server)
    assert (folder / "state").stat().st_mode & 0o77 == 0


@pytest.mark.usefixtures("no_server_is_left")
def test_after_kill_9_the_running_database_is_adopted(
    folder: Path, write_config: WriteConfig, start: Start
) -> None:
    config = write_config("a", None)
    first = start(config)
    first.wait_for_status("active (epoch 1)")
    server = postmaster(folder)
    first.signal(signal.SIGKILL)
    first.wait()
    assert is_alive(server)
    second = start(config)
    second.wait_for_status("active (epoch 2)")
    assert postmaster(folder) == server
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    assert not is_alive(server)


@pytest.mark.usefixtures("no_server_is_left")
def test_a_database_that_is_killed_comes_back_by_itself(
    folder: Path, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", None))
    daemon.wait_for_status("active (epoch 1)")
    os.kill(postmaster(folder), signal.SIGKILL)
    daemon.wait_for_status("waiting for the database")
    daemon.wait_for_status("active (epoch 2)")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def pings(daemon: DaemonProcess) -> int:
    return len(daemon.notices("WATCHDOG"))


def wait_for_pings(daemon: DaemonProcess, more: int) -> None:
    goal = pings(daemon) + more
    daemon.wait_until(lambda: pings(daemon) >= goal)


@pytest.mark.usefixtures("no_server_is_left")
def test_the_watchdog_falls_silent_when_a_thread_of_ours_hangs(
    folder: Path, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", None), "hanging", watchdog_s=1.5)
    daemon.wait_for_status("active (epoch")
    wait_for_pings(daemon, 3)
    (folder / "hang").touch()
    daemon.wait_for_log("thread hanging hangs")
    assert "lock.acquire()" in daemon.log
    before = pings(daemon)
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_log("SIGUSR1")
    with pytest.raises(Exception, match="in vain"):
        daemon.wait_until(lambda: pings(daemon) > before, 3)


@contextmanager
def frozen(server: int) -> Iterator[None]:
    """All processes of a PostgreSQL stand still."""
    family = [server]
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == server:
            family.append(int(entry.parent.name))
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(family):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("no_server_is_left")
def test_the_watchdog_goes_on_when_the_database_hangs(
    folder: Path, write_config: WriteConfig, start: Start
) -> None:
    daemon = start(write_config("a", None), watchdog_s=1.5)
    daemon.wait_for_status("active (epoch")
    with frozen(postmaster(folder)):
        wait_for_pings(daemon, 10)
    assert "hangs" not in daemon.log
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
