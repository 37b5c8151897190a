"""The README tells the truth about commands, layout and files."""

from __future__ import annotations

import re
from pathlib import Path

from malexbot.cli import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_command_list_is_the_command_list() -> None:
    assert re.findall(r"^\| `malexbot (\w+)", README, re.M) == list(COMMANDS)


def test_the_layout_names_every_room() -> None:
    told = re.findall(r"^\| `malexbot/(\w+(?:\.py)?)/?`", README, re.M)
    rooms = [
        path.name
        for path in (ROOT / "malexbot").iterdir()
        if not path.name.startswith(("_", "py."))
    ]
    assert sorted(told) == sorted(rooms)


def test_the_commands_of_its_first_screen_are_there() -> None:
    assert "&& .venv/bin/malexbot demo" in README
    assert "\ntests/run\n" in README
    assert (ROOT / "tests" / "run").stat().st_mode & 0o111
