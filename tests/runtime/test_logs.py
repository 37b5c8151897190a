from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from malexbot.runtime.logs import Logs, formatter, ids, is_journal
from malexbot.runtime.masks import Mask

log = logging.getLogger("malexbot.tests.logs")


def settings(style: str, *secrets: str, level: str = "debug") -> Any:
    return SimpleNamespace(
        log=SimpleNamespace(level=level, format=style), secrets=lambda: secrets
    )


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logs(stream: io.StringIO) -> Iterator[Logs]:
    level = logging.getLogger().level
    logs = Logs(stream)
    logs.start()
    yield logs
    logs.stop()
    logging.getLogger().setLevel(level)


def test_journal_lines_begin_with_their_priority(
    logs: Logs, stream: io.StringIO
) -> None:
    logs.set_up(settings("journal"))
    log.debug("d")
    log.info("i")
    log.warning("two\nlines")
    log.error("e")
    log.critical("c")
    marks = [line[:3] for line in stream.getvalue().splitlines()]
    assert marks == ["<7>", "<6>", "<4>", "<4>", "<3>", "<2>"]


def test_a_line_carries_the_ids_of_its_thread(logs: Logs, stream: io.StringIO) -> None:
    logs.set_up(settings("text"))
    with ids(event="e1"):
        with ids(job=7):
            log.info("inner")
        log.info("outer")
    log.info("none")
    inner, outer, none = stream.getvalue().splitlines()
    assert inner.endswith("inner [event=e1 job=7]")
    assert outer.endswith("outer [event=e1]")
    assert none.endswith("none")


def test_ids_do_not_leak_into_other_threads(logs: Logs, stream: io.StringIO) -> None:
    logs.set_up(settings("text"))
    with ids(event="mine"):
        thread = threading.Thread(target=log.info, args=("theirs",))
        thread.start()
        thread.join()
    assert "mine" not in stream.getvalue()


def test_json_is_one_object_a_line_with_ids_and_exception(
    logs: Logs, stream: io.StringIO
) -> None:
    logs.set_up(settings("json", "4242", "hunter22"))
    try:
        raise ValueError("with hunter22\n")
    except ValueError:
        with ids(event="e1", count=4242):
            log.exception("failed for %s", "hunter22")
    row = json.loads(stream.getvalue())
    assert row["level"] == "error"
    assert row["logger"] == "tests.logs"
    assert row["event"] == "e1"
    assert row["count"] == "***"
    assert row["message"] == "failed for ***"
    assert "ValueError: with ***" in row["exception"]
    assert row["time"].endswith("Z")


@pytest.mark.parametrize("style", ["text", "journal", "json"])
def test_no_planted_secret_passes(logs: Logs, stream: io.StringIO, style: str) -> None:
    logs.set_up(settings(style, "tok-3n-secret", "p@ss word"))
    log.info("plain %s and %r", "tok-3n-secret", {"password": "p@ss word"})
    with ids(header="Bearer tok-3n-secret"):
        log.warning("url postgresql://u:p%%40ss%%20word@h/d")
    try:
        raise RuntimeError("tok-3n-secret")
    except RuntimeError:
        log.exception("raised")
    text = stream.getvalue()
    assert text.count("***") >= 5
    for leak in ("tok-3n", "p@ss", "p%40ss"):
        assert leak not in text


def test_a_reload_keeps_the_old_secrets_covered(
    logs: Logs, stream: io.StringIO
) -> None:
    logs.set_up(settings("text", "old-secret"))
    logs.set_up(settings("text", "new-secret", level="warning"))
    log.info("quiet")
    log.warning("old-secret new-secret")
    assert "quiet" not in stream.getvalue()
    assert "*** ***" in stream.getvalue()


def test_a_thread_that_dies_is_logged(logs: Logs, stream: io.StringIO) -> None:
    logs.set_up(settings("text"))

    def die() -> None:
        raise KeyError("gone")

    thread = threading.Thread(target=die, name="doomed")
    thread.start()
    thread.join()
    assert "thread doomed died" in stream.getvalue()
    assert "KeyError: 'gone'" in stream.getvalue()


def test_warnings_of_libraries_come_into_the_log(
    logs: Logs, stream: io.StringIO, recwarn: pytest.WarningsRecorder
) -> None:
    logs.set_up(settings("text"))
    logging.getLogger("py.warnings").warning("old call")
    assert "old call" in stream.getvalue()


def test_the_last_words_of_the_main_thread_are_masked() -> None:
    code = (
        "from types import SimpleNamespace as N\n"
        "from malexbot.runtime.logs import Logs\n"
        "logs = Logs(); logs.start()\n"
        "logs.set_up(N(log=N(level='info', format='journal'),"
        " secrets=lambda: ('hunter2-x',)))\n"
        "import warnings; warnings.warn('an old call')\n"
        "raise RuntimeError('with hunter2' + '-x')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert "<2>RuntimeError: with ***" in run.stderr
    assert "<4>" in run.stderr and "an old call" in run.stderr
    assert all(line.startswith("<") for line in run.stderr.splitlines())


def test_the_journal_is_known_by_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "stream").open("w") as stream:
        there = os.fstat(stream.fileno())
        ours = {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}
        assert is_journal(stream, ours)
        assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not is_journal(stream, {})
        monkeypatch.setenv("JOURNAL_STREAM", ours["JOURNAL_STREAM"])
        assert type(formatter("auto", stream, Mask())).__name__ == "Journal"
    assert not is_journal(io.StringIO(), ours)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_unless_it_wants_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def style(stream: IO[str]) -> str:
        return type(formatter("auto", stream, Mask())).__name__

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style(Terminal()) == "Coloured"
    assert style(io.StringIO()) == "Masked"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style(Terminal()) == "Masked"
    record = logging.LogRecord("malexbot.x", 40, "", 0, "bad", None, None)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[31m" in formatter("auto", Terminal(), Mask()).format(record)
