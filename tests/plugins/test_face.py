"""What plugins import from malexbot is there, and costs nobody else anything."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import malexbot
from malexbot import plugins


def test_all_of_it_is_in_malexbot_itself() -> None:
    assert malexbot.__all__ == plugins.__all__
    for name in plugins.__all__:
        assert getattr(malexbot, name) is getattr(plugins, name)


def test_type_checkers_see_the_same() -> None:
    tree = ast.parse(Path(malexbot.__file__ or "").read_text())
    seen = [
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "malexbot.plugins"
        for name in node.names
    ]
    assert seen == malexbot.__all__


def test_what_is_not_there_is_told_as_ever() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        malexbot.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("line", "unwanted"),
    [
        ("import malexbot", {"malexbot.plugins", "pydantic"}),
        ("from malexbot import command", {"jinja2", "re2", "malexbot.storage"}),
    ],
)
def test_it_is_fetched_when_it_is_asked_for(line: str, unwanted: set[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; {line}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not unwanted & set(run.stdout.split())
