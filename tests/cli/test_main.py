"""The command as a whole: help, unknown commands, errors of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from malexbot import __version__
from malexbot.cli import COMMANDS, main

FOLDER = Path(sys.modules["malexbot.cli"].__file__ or "").parent


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_every_command_file_is_a_command() -> None:
    found = [
        file.parent.stem if file.stem == "__init__" else file.stem
        for file in (*FOLDER.glob("*.py"), *FOLDER.glob("*/__init__.py"))
        if "\ndef command(" in file.read_text()
    ]
    assert sorted(found) == sorted(COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["nonsense"])
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.output


def test_an_error_of_ours_is_one_line_with_its_exit_code() -> None:
    result = CliRunner().invoke(main, ["run", "--config", "/nonexistent/x.yaml"])
    assert result.exit_code == 78
    assert result.stderr.startswith("malexbot: ")
    assert "Traceback" not in result.output


def test_python_m_is_the_same_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "malexbot", "--version"], capture_output=True, text=True
    )
    assert run.stdout == f"malexbot {__version__}\n"
