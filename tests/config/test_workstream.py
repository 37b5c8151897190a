"""Who is told what malexbot does: what may be written there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from malexbot.config.load import load_with_warnings
from malexbot.config.problems import ConfigProblems
from malexbot.config.workstream import Workstream, receiver


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("journal", "journal", ""),
        ("redis:workstream", "redis", "workstream"),
        ("redis:a:b", "redis", "a:b"),
        ("http:ops", "http", "ops"),
        ("tcp:172.19.0.5:7560", "tcp", "172.19.0.5:7560"),
        (" TCP: log.example.org:1 ", "tcp", "log.example.org:1"),
    ],
)
def test_each_form_is_read(text: str, kind: str, name: str) -> None:
    assert receiver(text) == (kind, name)
    assert Workstream(to=text).receiver == (kind, name)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp:172.19.0.5:7560", ("172.19.0.5", 7560)),
        ("tcp:[::1]:7560", ("::1", 7560)),
    ],
)
def test_a_tcp_receiver_has_an_address(text: str, address: tuple[str, int]) -> None:
    assert receiver(text).address == address


@pytest.mark.parametrize(
    "text",
    [
        *("journal:x", "syslog", "redis:", "redis: x y", "redis::x", "http:"),
        *("http://log.example.org/", "tcp:", "tcp:host", "tcp::7560", "tcp:host:0"),
        *("tcp:host:65536", "tcp:host:x", "tcp:a b:7", "tcp:::1:7560", "x" * 300),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="needs"):
        Workstream(to=text)


@pytest.mark.parametrize("text", ["", None])
def test_nobody_is_nobody(text: str | None) -> None:
    assert Workstream(to=text).receiver is None


def written(folder: Path, text: str) -> Path:
    file = folder / "malexbot.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ("redis:work", "no Redis is in the settings (line 2); add the block `redis`"),
        ("http:ops", "nothing below `http` has that name (line 2); add it"),
        ("syslog", "needs journal, redis:STREAM, http:NAME or tcp:HOST:PORT (line 2)"),
    ],
)
def test_who_is_nowhere_is_told_with_the_line(
    tmp_path: Path, to: str, what: str
) -> None:
    with pytest.raises(ConfigProblems) as raised:
        load_with_warnings(written(tmp_path, f"workstream:\n  to: {to}\n"))
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"workstream.to: {what}")


def test_who_is_there_is_fine(tmp_path: Path) -> None:
    http = "http: {ops: 'https://log.example.org'}"
    text = f"workstream: {{to: http:ops, tells: Failures}}\n{http}\n"
    config = load_with_warnings(written(tmp_path, text)).config
    assert (config.workstream.to, config.workstream.tells) == ("http:ops", "failures")


def test_a_journal_that_leaves_it_out_is_odd(tmp_path: Path) -> None:
    text = "log: {level: warning}\nworkstream:\n  to: journal\n"
    *_, odd = load_with_warnings(written(tmp_path, text)).warnings
    assert str(odd).startswith("workstream.to: with log.level warning the journal")
