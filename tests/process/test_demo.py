"""`malexbot demo`, to its end and cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = (sys.executable, "-m", "malexbot", "demo")


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """The demo's folder is made in one of ours, which is empty in the end."""
    with tempfile.TemporaryDirectory(prefix="md-") as name:
        yield {**os.environ, "TMPDIR": name, "PYTHONUNBUFFERED": "1"}
        assert list(Path(name).iterdir()) == []
        assert servers_in(name) == []


def servers_in(folder: str) -> list[str]:
    """The PostgreSQL processes that run on a folder, even a deleted one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = os.readlink(process / "cwd")
        except OSError:
            continue
        if place.startswith(folder):
            found.append(process.name)
    return found


def test_tells_the_whole_life(environ: dict[str, str]) -> None:
    run = subprocess.run(DEMO, env=environ, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    told = run.stdout
    assert "standby" in told
    assert "the old settings stay" in told
    assert "the second took over" in told and "active (epoch 2)" in told
    assert "exit code 0" in told
    assert not told.startswith("\n")


def test_ctrl_c_leaves_nothing_behind(environ: dict[str, str]) -> None:
    with subprocess.Popen(
        DEMO, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        while "second one starts" not in demo.stdout.readline():
            pass
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=120)
    assert demo.returncode == 1


def test_a_reader_that_goes_away_leaves_nothing_behind(environ: dict[str, str]) -> None:
    command = f"{' '.join(DEMO)} | head -1"
    run = subprocess.run(
        command, shell=True, env=environ, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.startswith("A first daemon starts")
    assert "Traceback" not in run.stderr
