"""`malexbot doctor` beside a real daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from malexbot import __version__
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.process.test_daemon import port_of
from tests.process.test_pipe import settings

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced
Write = Callable[..., Path]


def test_all_is_well_beside_a_daemon_that_runs_and_without_it(
    write_config: Write,
    empty_database: Dsn,
    start: Start,
    mattermost: Mattermost,
) -> None:
    config = write_config("one", empty_database, **settings(mattermost))
    port = port_of(config)
    blocks = yaml.safe_load(config.read_text())
    blocks["backend"]["public_url"] = f"http://127.0.0.1:{port}"
    config.write_text(yaml.safe_dump(blocks))
    daemon = start(config)
    daemon.wait_for_status("1 of 1 channels read")
    told = doctor(config)
    assert told["port"] == f"127.0.0.1:{port}, malexbot {__version__} answers there"
    assert told["callbacks"] == f"the server reaches http://127.0.0.1:{port}"
    assert "ERROR" not in daemon.log and "WARNING" not in daemon.log
    daemon.stop()
    told = doctor(config)
    assert "the daemon does not run here now" in told["port"]
    assert told["callbacks"] == f"the server reaches http://127.0.0.1:{port}"


def doctor(config: Path) -> dict[str, str]:
    """What each check says; all must be well."""
    words = ["doctor", "--send", "--json", "--config", str(config)]
    done = subprocess.run(
        [sys.executable, "-m", "malexbot", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["findings"]) == (0, []), done.stderr
    return {check["name"]: check["what"] for check in found["checks"]}
