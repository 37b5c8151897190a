"""A command imports what it needs, and nothing that is slow to import besides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# What a command needs to read the configuration.
CONFIG = {
    "annotated_types",
    "click",
    "orjson",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "yaml",
}
DATABASE = CONFIG | {"psycopg2"}
# Those of plugins: their conditions.
PLUGINS = DATABASE | {"jinja2", "markupsafe", "re2"}
# mattermostdriver brings websockets.
MATTERMOST = {"mattermostdriver", "tenacity", "websocket", "websockets"}
MATTERMOST |= {"certifi", "charset_normalizer", "idna", "requests", "urllib3"}
# It brings async_timeout where Python itself has none yet, before 3.11.3.
REDIS = {"async_timeout", "redis"}
BUS = CONFIG | REDIS | {"tenacity"}
RUN = """
import json, sys
before = set(sys.modules)
from malexbot.cli import main
try:
    main(sys.argv[2:], standalone_mode=False)
except SystemExit:
    pass
open(sys.argv[1], "w").write(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a daemon and a database that are both away."""
    file = tmp_path / "malexbot.yaml"
    settings = {
        "state_dir": str(tmp_path / "state"),
        "backend": {"port": 1},
        "db": {"username": "x", "password": "x", "name": "x", "port": 1},
        "redis": {"url": "redis://127.0.0.1:1"},
        "mattermost": {
            "http_host": "http://127.0.0.1:1",
            "token": "t0ken",
            "listen_channels": ["*"],
            "target_events_processors": {"posted": ["save"]},
        },
    }
    # JSON is YAML too.
    file.write_text(json.dumps(settings))
    return file


def libraries(folder: Path, *words: str) -> set[str]:
    """What of other people this command line imports."""
    # Coverage imports libraries of its own.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    told = folder / "modules.json"
    subprocess.run(
        [sys.executable, "-c", RUN, str(told), *words],
        env=environ,
        capture_output=True,
        timeout=60,
    )
    modules = json.loads(told.read_text())
    assert "malexbot.cli" in modules
    tops = {name.partition(".")[0] for name in modules}
    private = {top for top in tops if top.startswith("_") or top == "cython_runtime"}
    return tops - private - set(sys.stdlib_module_names) - {"malexbot"}


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("--version", {"click"}),
        ("--help", CONFIG),
        ("demo --help", {"click"}),
        ("install --help", {"click"}),
        ("plugin --help", {"click"}),
        ("route test --help", {"click"}),
        ("completion bash", {"click"}),
        ("check", CONFIG),
        ("doctor", DATABASE | MATTERMOST | BUS),
        ("status", DATABASE),
        ("jobs list", DATABASE),
        ("export", DATABASE),
        ("bus lag", BUS),
        ("search deploy", DATABASE),
        ("stats", DATABASE),
        ("backfill", DATABASE),
        ("erase-user anna --yes", DATABASE),
        ("commands list", PLUGINS),
        ("send --to town text", DATABASE),
    ],
)
def test_a_command_imports_only_what_it_needs(
    words: str, needed: set[str], config: Path, tmp_path: Path
) -> None:
    is_config = needed >= DATABASE or words in ("check", "bus lag")
    where = ("--config", str(config)) if is_config else ()
    found = libraries(tmp_path, *words.split(), *where)
    assert not found - needed
    # It did what it is for, and did not end before that.
    assert ("psycopg2" in found) == (needed >= DATABASE)


def test_a_bad_configuration_is_told_before_the_daemon_is_imported(
    tmp_path: Path,
) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("mattermost: 5\n")
    found = libraries(tmp_path, "run", "--config", str(file))
    assert "pydantic" in found
    assert not found - CONFIG
