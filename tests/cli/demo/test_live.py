"""`malexbot demo` on a terminal: a person types, kills malexbot, and leaves."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, build_opener

import pytest

from malexbot.cli.demo.live import Live, curl
from malexbot.cli.demo.telling import Teller
from malexbot.errors import Transient
from malexbot.runtime.deadline import Deadline
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import build
from tests.cli.demo.conftest import BareStage

DEMO = (sys.executable, "-m", "malexbot", "demo")
PATIENCE_S = 60.0


class Terminal:
    """A demo at a terminal of 80 columns."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.demo = subprocess.Popen(
            DEMO,
            env={**environ, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.screen = ""

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def read_until(self, pattern: str) -> re.Match[str]:
        """What fits, in what came since the last one that did."""
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.screen)):
            assert time.monotonic() < until, f"no {pattern} in\n{self.screen}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self._read()
        self.screen = self.screen[found.end() :]
        return found

    def wait(self) -> int:
        """The exit code; what is still told is read, so that nothing holds it up."""
        until = time.monotonic() + PATIENCE_S
        while self.demo.poll() is None:
            assert time.monotonic() < until, f"it goes on\n{self.screen}"
            if select.select([self._ours], [], [], 0.05)[0]:
                self._read()
        return self.demo.returncode

    def close(self) -> None:
        if self.demo.poll() is None:
            self.demo.terminate()
            self.wait()
        os.close(self._ours)

    def _read(self) -> None:
        try:
            told = os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the last one that held the other end is gone
            return
        self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", told)


@pytest.fixture
def terminal(environ: dict[str, str]) -> Iterator[Terminal]:
    opened = Terminal(environ)
    yield opened
    opened.close()


def test_a_person_talks_kills_and_leaves(terminal: Terminal) -> None:
    terminal.read_until(r"alice +Who brings a cake\? +✓ kept")
    terminal.read_until(r"off the record: no nuts +- not kept")
    page = terminal.read_until(r"in a browser:\s+(http://127\.0\.0\.1:\d+)")[1]
    with build_opener().open(page) as answer:
        assert b"malexbot" in answer.read()
    config = terminal.read_until(r"malexbot status --config (\S+)")[1]
    pid = int(terminal.read_until(r"kill -9 (\d+)")[1])

    terminal.type("ping")
    terminal.read_until(r"alice +ping +✓ kept")
    terminal.read_until(r"malexbot +↳ pong, alice +✓ kept")

    status = [*DEMO[:3], "status", "--config", config]
    run = subprocess.run(status, capture_output=True, text=True)
    assert "malexbot is well" in run.stdout, run.stdout + run.stderr

    os.kill(pid, signal.SIGKILL)
    terminal.read_until(r"malexbot was killed \(signal 9\)")
    terminal.type("Are you dead?")
    terminal.read_until(r"alice +Are you dead\? +… waits")
    again = int(terminal.read_until(r"malexbot listens \(process (\d+)\)")[1])
    assert again != pid
    terminal.read_until(r"malexbot +↳ Good question, alice! +✓ kept")

    began = time.monotonic()
    terminal.demo.send_signal(signal.SIGINT)
    assert terminal.wait() == 0
    assert time.monotonic() - began < 10
    assert "The demo has ended." in terminal.screen
    with pytest.raises(ProcessLookupError):
        os.kill(again, 0)


@pytest.mark.slow
def test_ctrl_d_leaves_too(terminal: Terminal) -> None:
    terminal.read_until("End all: +Ctrl-C")
    terminal.type("\x04")
    assert terminal.wait() == 0


@pytest.mark.slow
def test_it_ends_by_itself_and_keeps_its_folder_if_told(
    environ: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    command = [*DEMO, "--seconds", "0", "--folder", str(folder)]
    run = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert "\x1b" not in run.stdout and "The demo has ended." in run.stdout
    assert f"All of it is in {folder}" in run.stdout
    assert {"malexbot.yaml", "malexbot.log", "state"} == set(os.listdir(folder))
    assert (folder / "malexbot.yaml").stat().st_mode & 0o077 == 0
    assert "stopped" in (folder / "malexbot.log").read_text()
    again = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert again.returncode == 1
    assert "is not empty" in again.stderr


@pytest.mark.slow
def test_a_reader_that_goes_away_leaves_nothing_behind(environ: dict[str, str]) -> None:
    command = f"{shlex.join(DEMO)} </dev/null | head -1"
    run = subprocess.run(
        command, shell=True, env=environ, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.startswith("malexbot's demo")
    assert "Traceback" not in run.stderr


def test_an_archive_that_is_away_for_a_while_is_borne(
    stage: BareStage,
    teller: Teller,
    paper: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(since: int = 0) -> dict[str, Any]:
        raise Transient("gone")

    live = Live(stage, teller, Deadline(0))
    stage.keep(stage.say("bob", "meanwhile"))
    with monkeypatch.context() as patch:
        patch.setattr(stage, "rows", away)
        live.follow()
        live.follow()
    assert paper.getvalue().count("the archive cannot be read: gone") == 1
    assert "meanwhile" not in paper.getvalue()
    live.follow()
    live.follow()
    assert paper.getvalue().count("the archive can be read again") == 1
    assert "meanwhile" in paper.getvalue()


def test_what_it_tells_to_paste_posts() -> None:
    with Sandbox() as mattermost:
        town = build(mattermost.scene)
        token = mattermost.scene.add_token(user_id=town.alice)
        lines = curl(mattermost.url, token, town.channel)
        words = shlex.split("\n".join(lines).replace("\\\n", " "))
        _, url, _, header, _, body = words
        name, _, value = header.partition(": ")
        request = Request(url, data=body.encode(), headers={name: value})
        with build_opener().open(request) as answer:
            assert answer.status == 201
        (entry,) = mattermost.ledger.entries(user_id=town.alice)
    assert entry.text == "ping"


def test_what_the_extra_brings_is_asked_for() -> None:
    code = "import sys; sys.modules['wsproto'] = None; from malexbot.cli import main;"
    run = subprocess.run(
        [sys.executable, "-c", f"{code} main(['demo'])"], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr == (
        "malexbot: the demo needs wsproto: pip install 'malexbot[demo]'\n"
    )
