"""What is installed, and where it refuses to be."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_older_python_is_refused_with_a_line() -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; sys.version_info = (3, 10, 4, 'final', 0); import malexbot",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("malexbot needs Python 3.11 or newer, but this is")
    assert "3.10" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_the_command_is_an_entry_point() -> None:
    (script,) = entry_points(group="console_scripts", name="malexbot")
    assert script.value == "malexbot.cli:main"


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "malexbot" / "py.typed").exists()
