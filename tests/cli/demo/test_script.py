"""`malexbot demo --script`: all of it agrees, unless something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from malexbot.cli import main
from malexbot.cli.demo import play
from malexbot.cli.demo.ending import Ending
from malexbot.cli.demo.play import play_script

SCRIPT = (sys.executable, "-m", "malexbot", "demo", "--script")


def marks(told: str) -> dict[str, str]:
    """The last sign of each row of the table, by how the row begins."""
    rows = [line for line in told.splitlines() if line[-1:] in ("✓", "✗")]
    return {row[:22].rstrip(): row[-1] for row in rows}


def test_the_script_agrees_with_the_archive(environ: dict[str, str]) -> None:
    run = subprocess.run(
        SCRIPT, env=environ, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = marks(run.stdout)
    assert set(found.values()) == {"✓"}
    assert {"Lunch is at noon.", "↳ pong, alice", "It is quiet here."} <= set(found)
    assert run.stdout.count("↳ Good question, alice!") == 2
    assert "All 16 are as expected." in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80


@pytest.mark.slow
def test_a_filter_that_is_wrong_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It drops one post, and lets in what is off the record."""
    keeps = "not event.post.is_system and 'quiet' not in event.message.text"
    with Ending() as ending:
        assert not play_script(tmp_path, ending, keeps=keeps, patience_s=3)
    told = capsys.readouterr().out
    wrong = [post for post, mark in marks(told).items() if mark == "✗"]
    assert sorted(wrong) == [
        "It is quiet here.",
        "off the record: no nut",
        "off the record: yawn",
    ]
    assert "3 of 16 are not as expected." in told


def test_the_exit_code_tells_of_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "play_script", lambda *_: False)
    assert CliRunner().invoke(main, ["demo", "--script"]).exit_code == 1
    monkeypatch.setattr(play, "play_script", lambda *_: True)
    assert CliRunner().invoke(main, ["demo", "--script"]).exit_code == 0
