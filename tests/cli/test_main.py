"""The command as a whole: help, unknown commands, errors of ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from malexbot import __version__
from malexbot.cli import COMMANDS, main
from malexbot.errors import EXIT_CODES

FOLDER = Path(sys.modules["malexbot.cli"].__file__ or "").parent


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("First steps:")[2]
    assert all(len(line) <= 80 for line in text.splitlines())


def test_help_tells_the_exit_codes() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^  {code} +{re.escape(meaning)}$", text, re.M)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def leaves(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by what calls them."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    ctx = click.Context(command)
    for name in command.list_commands(ctx):
        inner = command.get_command(ctx, name)
        assert inner is not None
        yield from leaves(inner, f"{words} {name}")


def test_each_command_is_told_in_one_line_of_a_narrow_terminal() -> None:
    told = CliRunner().invoke(main, ["--help"], terminal_width=80).stdout
    for name in COMMANDS:
        (line,) = re.findall(rf"^  {name} .*", told, re.M)
        assert line.endswith(".") and not line.endswith("..."), line


def test_each_command_has_an_example() -> None:
    for words, command in leaves(main, "malexbot"):
        told = command.help or ""
        assert re.search(rf"^ *(sudo |.*\| )?{words}\b", told, re.M), words


def test_the_same_option_is_called_the_same_everywhere() -> None:
    """Whatever an option does, it does by one name; and a name does one thing."""
    names: dict[str, set[str]] = {}
    for words, command in leaves(main, "malexbot"):
        for option in command.params:
            if isinstance(option, click.Option) and option.name:
                names.setdefault(option.name, set()).add(option.opts[0])
            assert "RANGE" not in (option.make_metavar(click.Context(command))), words
    assert {name: opts for name, opts in names.items() if len(opts) > 1} == {}
    assert names["since"] == {"--since"} and names["until"] == {"--until"}
    assert names["is_json"] == {"--json"} and names["config_file"] == {"--config"}


def test_every_command_file_is_a_command() -> None:
    found = [
        file.parent.stem if file.stem == "__init__" else file.stem
        for file in (*FOLDER.glob("*.py"), *FOLDER.glob("*/__init__.py"))
        if "\ndef command(" in file.read_text()
    ]
    assert sorted(name.replace("_", "-") for name in found) == sorted(COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["nonsense"])
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.output


def test_an_error_of_ours_is_one_line_with_its_exit_code() -> None:
    result = CliRunner().invoke(main, ["run", "--config", "/nonexistent/x.yaml"])
    assert result.exit_code == 78
    assert result.stderr.startswith("malexbot: ")
    assert "Traceback" not in result.output


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A configuration with a database that is away."""
    file = tmp_path / "malexbot.yaml"
    db = {"username": "x", "password": "x", "name": "x", "host": "127.0.0.1", "port": 1}
    file.write_text(json.dumps({"db": db, "state_dir": str(tmp_path)}))
    return file


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--version", 0),
        ("check --config CONFIG", 0),
        ("check --json --config CONFIG", 0),
        ("status --config CONFIG", 1),
        ("send --to town text --config CONFIG", 1),
        ("nonsense", 2),
        ("send text --config CONFIG", 2),
        ("search --config CONFIG", 2),
        ("export --format jpeg --config CONFIG", 2),
        ("jobs list --config CONFIG", 75),
        ("search word --config CONFIG", 75),
        ("stats --config CONFIG", 75),
        ("export --config CONFIG", 75),
        ("run --config /nonexistent", 78),
        ("status --config /nonexistent", 78),
        ("doctor --config /nonexistent", 78),
        ("check --json --config /nonexistent", 78),
    ],
)
def test_the_exit_code_tells_what_happened(words: str, code: int, away: Path) -> None:
    result = CliRunner().invoke(main, words.replace("CONFIG", str(away)).split())
    assert result.exit_code == code, result.output
    assert code in EXIT_CODES


def test_ctrl_c_ends_it_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(click, "echo", interrupted)
    result = CliRunner().invoke(main, ["completion", "bash"])
    assert (result.exit_code, result.stderr) == (130, "")


def piped(words: str, into: str) -> subprocess.CompletedProcess[str]:
    """What bash says of `malexbot WORDS | INTO`: its errors, and the exit codes."""
    line = f"{sys.executable} -m malexbot {words} {into}; echo ${{PIPESTATUS[0]}}"
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True)


@pytest.mark.parametrize("words", ["--help", "check --schema", "completion bash"])
def test_who_reads_no_more_ends_it_quietly(words: str) -> None:
    done = piped(words, "| true")
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_full_disk_is_told() -> None:
    done = piped("check --schema", "> /dev/full")
    assert (done.stdout, done.stderr) == (
        "1\n",
        "malexbot: cannot write: No space left on device\n",
    )


def test_colours_are_for_terminals_and_those_who_want_them(
    away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["status", "--config", str(away)]
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in CliRunner().invoke(main, words).stdout
    assert "\x1b[" in CliRunner().invoke(main, words, color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(main, words, color=True).stdout


def test_python_m_is_the_same_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "malexbot", "--version"], capture_output=True, text=True
    )
    assert run.stdout == f"malexbot {__version__}\n"
