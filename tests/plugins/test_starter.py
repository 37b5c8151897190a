"""What `malexbot plugin new` writes works, and its tests hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from malexbot.errors import Permanent
from malexbot.plugins.starter import files
from tests.plugins.conftest import Load


@pytest.mark.parametrize("name", ["wave", "my_bot2"])
def test_what_it_writes_loads(load: Load, tmp_path: Path, name: str) -> None:
    for file, text in files(name).items():
        (tmp_path / file).write_text(text)
    settings = {name: {"word": "Hi"}}
    loaded = load(plugins=[f"{name}.py"], processors=settings)
    assert (loaded.failures, loaded.warnings) == ((), ())
    names = [each.name for each in loaded.config.plugged.handlers]
    assert names == [f"{name}.hello", f"{name}.wave", f"{name}.answer"]


def test_its_test_on_the_stage_holds(tmp_path: Path) -> None:
    """The whole of it is passed with the guide, by test_readme."""
    for file, text in files("wave").items():
        (tmp_path / file).write_text(text)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-k", "not server"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "1 passed, 1 deselected" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["Wave", "1st", "a-b", "", "class", "../x", "a b"])
def test_what_is_no_name_is_told(name: str) -> None:
    with pytest.raises(Permanent, match="is no name for a plugin"):
        files(name)


@pytest.mark.parametrize("name", ["malex", "save"])
def test_malexbots_own_names_are_taken(name: str) -> None:
    with pytest.raises(Permanent, match="malexbot's own"):
        files(name)
