"""`malexbot send` beside a real daemon, and before there is one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.process.test_pipe import Write, said, settings
from tests.support.threads import eventually

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced


def send(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "malexbot", "send", "--config", str(config), *words],
        capture_output=True,
        text=True,
        input="",
        timeout=60,
    )


def test_what_is_sent_arrives_once_with_a_daemon_and_without_one(
    start: Start, write_config: Write, empty_database: Dsn, mattermost: Mattermost
) -> None:
    file = write_config("one", empty_database, **settings(mattermost))
    early = send(file, "--to", "general", "too early")
    assert early.returncode == 1
    assert "start the daemon first" in early.stderr

    daemon = start(file)
    daemon.wait_for_status("mattermost: connected")
    words = ("--to", "general", "--key", "k", "--wait")
    first, again = send(file, *words, "one"), send(file, *words, "one")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout == again.stdout
    assert "/_redirect/pl/" in first.stdout
    assert send(file, "--to", "@alice", "--wait", "two").returncode == 0
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0

    later = send(file, "--to", "general", "three")
    assert (later.returncode, later.stdout) == (0, "")
    assert "no daemon is active" in later.stderr
    assert said(mattermost) == ["one", "two"]
    start(file)
    eventually(lambda: said(mattermost) == ["one", "two", "three"])
