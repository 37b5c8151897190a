from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.runtime.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def heard(manager: socket.socket) -> dict[str, str]:
    lines = manager.recv(4096).decode().splitlines()
    return dict(line.split("=", 1) for line in lines)


def notifier(manager: socket.socket) -> Notifier:
    return Notifier(manager.getsockname())


def test_ready_status_alive_and_stopping(manager: socket.socket) -> None:
    told = notifier(manager)
    told.ready("active")
    assert heard(manager) == {"READY": "1", "STATUS": "active"}
    told.status("two\nlines")
    assert heard(manager) == {"STATUS": "two lines"}
    told.alive()
    assert heard(manager) == {"WATCHDOG": "1"}
    told.stopping("draining")
    assert heard(manager) == {"STOPPING": "1", "STATUS": "draining"}


def test_a_status_may_have_any_text(manager: socket.socket) -> None:
    notifier(manager).ready("plugin x: off: \ud83d")
    assert heard(manager)["STATUS"] == r"plugin x: off: \ud83d"


def test_a_reload_carries_the_monotonic_time(manager: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    notifier(manager).reloading()
    words = heard(manager)
    assert words["RELOADING"] == "1"
    assert before <= int(words["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0malexbot-test-{os.getpid()}")
        listener.settimeout(5)
        Notifier(f"@malexbot-test-{os.getpid()}").alive()
        assert listener.recv(100) == b"WATCHDOG=1"


def test_a_manager_that_is_gone_does_not_hurt(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "nobody")).alive()
    Notifier(None).alive()


def test_takes_the_variables_away_from_our_children() -> None:
    environ = {
        "NOTIFY_SOCKET": "/run/x",
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    assert Notifier.take(environ).watchdog_s == 60
    assert environ == {"PATH": "/bin"}


def test_another_process_watchdog_is_not_ours() -> None:
    environ = {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}
    assert Notifier.take(environ).watchdog_s is None
    assert Notifier.take({}).watchdog_s is None
