"""`malexbot completion`, as the shells use it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from malexbot.cli import main


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """As the installed one: the first word is its name."""
    file = tmp_path / "malexbot"
    code = shlex.quote("from malexbot.cli import main; main(prog_name='malexbot')")
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -c {code} "$@"\n')
    file.chmod(0o755)
    return file


def completed(program: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    line = shlex.join(["malexbot", *words])
    lines = f"""
    {script}
    COMP_WORDS=({line}) COMP_CWORD={len(words)}
    _malexbot_completion {program}
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", lines], capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["st"], ["status", "stats"]),
        (["jobs", "re"], ["retry"]),
        (["export", "--for"], ["--format"]),
        (["export", "--format", "h"], ["html"]),
    ],
)
def test_bash_completes_commands_options_and_values(
    program: Path, words: list[str], offered: list[str]
) -> None:
    assert sorted(completed(program, *words)) == sorted(offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0 and result.stderr == ""
    assert f"_MALEXBOT_COMPLETE={shell}_complete" in result.stdout


def test_other_shells_are_told_which_there_are() -> None:
    result = CliRunner().invoke(main, ["completion", "ksh"])
    assert result.exit_code == 2 and "'bash', 'zsh', 'fish'" in result.stderr
