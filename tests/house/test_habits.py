"""What the tree promises to keep clean."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = {
    *("malexbot", "systemd", "etc", "tests", "setup.cfg", "setup.py", "README.md"),
    *(".ci", "LICENSE", ".gitignore", ".pre-commit-config.yaml"),
}


def tracked() -> list[str]:
    run = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout.splitlines()


def test_the_top_level_is_as_designed() -> None:
    assert {name.partition("/")[0] for name in tracked()} <= TOP


@pytest.mark.parametrize(
    "word",
    [
        r"^\s*(import|from) asyncio|async def",
        r"\btime\.sleep\(",
        r"\b(import|from) pickle\b",
        r"\bpreexec_fn\b",
        r"\b(TO" + r"DO|FIX" + r"ME|NotImplemented" + r"Error)\b",
    ],
)
def test_the_package_is_free_of(word: str) -> None:
    found = [
        f"{path}: {line}"
        for path in (ROOT / "malexbot").rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(word, line)
    ]
    assert found == []
