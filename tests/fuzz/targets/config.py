"""What an operator writes: the file of the configuration."""

from __future__ import annotations

from pathlib import Path

from malexbot.config.load import load_with_warnings
from malexbot.config.problems import ConfigProblems, Problem
from malexbot.config.show import show
from tests.fuzz.targets import Target

_LONGEST_LINE = 200
_ENVIRON = {"TOKEN": "t0ken", "EMPTY": ""}


def build(folder: Path) -> Target:
    file = folder / "malexbot.yaml"

    def fuzz(told: bytes) -> None:
        file.write_bytes(told)
        try:
            loaded = load_with_warnings(file, environ=_ENVIRON)
        except ConfigProblems as error:
            assert error.problems and str(error).encode()
            _print(error.problems)
        else:
            _print(loaded.warnings)
            assert show(loaded.config).encode()

    return fuzz


def _print(problems: tuple[Problem, ...]) -> None:
    """Each is a line that every terminal can show."""
    for problem in problems:
        line = str(problem)
        assert line.isprintable() and len(line) <= _LONGEST_LINE, repr(line)
        assert line.encode()
