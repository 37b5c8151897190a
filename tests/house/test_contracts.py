"""Each import contract of setup.cfg bites: a planted breach is found by name."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BREACHES = {
    "layers": ("runtime/stop.py", "import malexbot.app"),
    "siblings": ("runtime/heart.py", "import malexbot.runtime.stop"),
    "sandbox": ("sandbox/daemon.py", "import malexbot.events"),
    "sandbox-door": ("cli/run.py", "import malexbot.sandbox"),
    "yaml": ("cli/check.py", "import yaml"),
    "psycopg2": ("app.py", "import psycopg2"),
    "tenacity": ("storage/duty.py", "import tenacity"),
    "web": ("cli/run.py", "import flask"),
    "apscheduler": ("daemon.py", "import apscheduler"),
    "prometheus": ("web/status.py", "import prometheus_client"),
    "jinja2": ("processors/log.py", "import jinja2"),
    "re2": ("config/rules.py", "import re2"),
    "mattermostdriver": ("app.py", "import mattermostdriver"),
    "redis": ("app.py", "import redis"),
    "core": ("pipeline/intake.py", "import requests"),
}


def contracts() -> dict[str, str]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    mark = "importlinter:contract:"
    sections = [name for name in parser.sections() if name.startswith(mark)]
    return {name.removeprefix(mark): parser[name]["name"] for name in sections}


def lint_imports(folder: Path) -> str:
    run = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; sys.path.insert(0, '.');"
            "from importlinter.cli import lint_imports_command as lint;"
            "lint(['--no-cache', '--no-logo'])",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return run.stdout


def test_every_contract_has_its_breach() -> None:
    assert set(contracts()) == set(BREACHES)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(ROOT / "malexbot", folder / "malexbot")
    shutil.copy(ROOT / "setup.cfg", folder)
    return folder


def test_the_tree_keeps_all_contracts(copy: Path) -> None:
    assert f"{len(BREACHES)} kept, 0 broken" in lint_imports(copy)


@pytest.mark.slow
@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_found(copy: Path, contract: str) -> None:
    where, line = BREACHES[contract]
    module = copy / "malexbot" / where
    text = module.read_text()
    module.write_text(f"{text}\n\n{line}\n")
    try:
        assert f"{contracts()[contract]} BROKEN" in lint_imports(copy)
    finally:
        module.write_text(text)


def test_a_room_that_no_layer_names_is_found(copy: Path) -> None:
    room = copy / "malexbot" / "attic.py"
    room.write_text("")
    try:
        assert "attic" in lint_imports(copy)
    finally:
        room.unlink()
