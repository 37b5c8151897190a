"""`malexbot check`: what it tells of a file, and how quickly."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.config.problems import LINE_WIDTH
from tests.config.broken import BROKEN, Broken
from tests.config.test_load import SEED

# What was promised; 0.15 s were measured.
CPU_S = 0.5


def check(*args: str | Path, **environ: str) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)], env=environ)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "malexbot.yaml"
    file.write_text(SEED.replace('token: "abc"', 'token: "S3cret"'))
    return file


def test_a_sound_file_is_told_with_what_it_does(file: Path) -> None:
    done = check("--config", file)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{file} is fine",
        "  Mattermost: https://chat.example.org/api/v4"
        " and wss://chat.example.org/api/v4/websocket",
        "  channels:   some_channel_id_1, some_channel_id_2",
        "  on hello: log",
        "  on posted: save, response",
        "  database:   its own, under /var/lib/malexbot",
    ]


def test_the_routes_are_told(file: Path) -> None:
    rules = "routes: [{name: bans, to: 'mattermost:c'}, {name: b, to: 'mattermost:d'}]"
    file.write_text(f"{file.read_text()}\n{rules}\n")
    done = check("--config", file)
    assert "  routes:     bans, b" in done.stdout.splitlines()
    assert "routes[2]: is never asked: 'bans' takes every event" in done.stderr


def test_the_targets_are_told_without_what_may_be_secret(file: Path) -> None:
    targets = "redis: {mode: pubsub}\nhttp: {a: 'https://example.org/s3cret'}\n"
    file.write_text(f"{file.read_text()}\n{targets}")
    told = check("--config", file).stdout
    assert "\n  Redis:      redis://localhost:6379/0, by pubsub\n" in told
    assert "\n  HTTP:       a\n" in told and "s3cret" not in told


def test_programs_read_an_object(file: Path, tmp_path: Path) -> None:
    told = json.loads(check("--json", "--config", file).stdout)
    assert told == {"is_well": True, "problems": [], "warnings": []}
    bad = tmp_path / "bad.yaml"
    bad.write_text("archve: {}\nmattermost: 5\n")
    done = check("--json", "--config", bad)
    assert (done.exit_code, done.stderr) == (78, "")
    told = json.loads(done.stdout)
    problems = {problem["path"]: problem for problem in told["problems"]}
    assert not told["is_well"] and problems["archve"]["line"] == 1
    assert problems["archve"]["hint"] == "did you mean 'archive'?"
    assert problems["archve"]["file"] == str(bad)


def test_the_file_may_come_from_the_environment(file: Path) -> None:
    assert check(MALEXBOT_CONFIG=str(file)).stdout.startswith(f"{file} is fine\n")


def test_a_database_and_warnings_are_told(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("db: {name: archive, host: pg}\n")
    done = check("--config", file)
    assert done.exit_code == 0
    assert "database:   archive on pg:5432" in done.stdout
    assert done.stderr.startswith("warning: nothing is listened to; add")


def test_show_prints_it_all_but_the_secrets(file: Path) -> None:
    done = check("--config", file, "--show")
    assert done.exit_code == 0
    assert "drain_timeout: 20s\n" in done.stdout
    assert "  token: '***'\n" in done.stdout
    assert "S3cret" not in done.stdout + done.stderr


def test_the_schema_needs_no_file() -> None:
    done = check("--schema", "--config", "/nowhere")
    assert done.exit_code == 0
    assert "mattermost" in json.loads(done.stdout)["properties"]


# One of each kind; tests/config/test_load.py runs them all.
KINDS = ("empty", "binary", "tab", "python", "bomb", "very-deep", "twice", "events")


@pytest.mark.parametrize(
    "broken", [b for b in BROKEN if b.name in KINDS], ids=lambda b: b.name
)
def test_a_broken_file_is_told_on_one_screen(tmp_path: Path, broken: Broken) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_bytes(broken.content)
    done = check("--config", file)
    assert (done.exit_code, done.stdout) == (78, "")
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) <= 24
    assert all(len(line) <= LINE_WIDTH + 2 for line in lines[1:])
    for part in broken.parts:
        assert part in done.stderr


def test_a_process_of_its_own_tells_the_same(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("mattermost: 5\n")
    command = [sys.executable, "-m", "malexbot", "check", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == check("--config", file).stderr


def test_a_missing_file_is_told() -> None:
    done = check("--config", "/nowhere/malexbot.yaml")
    assert done.exit_code == 78
    assert "there is no such file; `malexbot install`" in done.stderr


def cpu_of_check(file: Path) -> float:
    """Without the part that coverage would take."""
    command = [sys.executable, "-m", "malexbot", "check", "--config", str(file)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def test_it_takes_little_time(file: Path) -> None:
    used = min(cpu_of_check(file) for _ in range(3))
    assert used < CPU_S


def test_the_functions_of_plugins_are_told(tmp_path: Path) -> None:
    (tmp_path / "hi.py").write_text(
        "from malexbot import *\n@command('/hi')\ndef hi(event, bot): ...\n"
    )
    (tmp_path / "malexbot.yaml").write_text("plugins: [hi.py]\n")
    done = check("--config", tmp_path / "malexbot.yaml")
    assert "  plugins:    hi.hi\n" in done.stdout
