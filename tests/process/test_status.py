"""What an operator sees of a real daemon, from its first start to its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.process.test_daemon import port_of
from tests.process.test_pipe import settings
from tests.support.threads import eventually

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced
Write = Callable[..., Path]


def status(config: Path) -> dict[str, Any]:
    """What `malexbot status --json` tells; its exit code says the same."""
    words = ["status", "--json", "--config", str(config)]
    done = subprocess.run(
        [sys.executable, "-m", "malexbot", *words],
        capture_output=True,
        text=True,
        timeout=30,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0 if told["is_well"] else 1, "")
    return told


def scrape(config: Path) -> dict[str, float]:
    """The numbers of /metrics; of those with labels, the sum."""
    with urlopen(f"http://127.0.0.1:{port_of(config)}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


@pytest.fixture
def config(write_config: Write, empty_database: Dsn, mattermost: Mattermost) -> Path:
    return write_config("one", empty_database, **settings(mattermost))


def test_it_is_well_once_it_runs(
    config: Path, start: Start, mattermost: Mattermost
) -> None:
    assert "it has not run yet" in status(config)["summary"]
    start(config).wait_for_status("1 of 1 channels read")
    summary = "malexbot is well: connected, 1 channel, nothing waits"
    eventually(lambda: status(config)["summary"] == summary)
    assert "malexbot_reading_failed" not in status(config)["daemon"]["readings"]


def test_the_numbers_follow_what_happens(
    config: Path, start: Start, mattermost: Mattermost
) -> None:
    town = mattermost.town
    start(config).wait_for_status("1 of 1 channels read")
    before = scrape(config)
    mattermost.scene.post(town.channel, town.alice, "ping")
    eventually(lambda: mattermost.ledger.entries(user_id=town.bot))
    eventually(lambda: scrape(config)["malexbot_jobs_asked_total"] > 0)
    mattermost.faults.cut(user_id=town.bot)
    eventually(lambda: scrape(config)["malexbot_connection_resumes_total"] == 1)
    after = scrape(config)
    for name in ("events", "events_kept", "intake_batches"):
        assert after[f"malexbot_{name}_total"] > before[f"malexbot_{name}_total"]
    assert after["malexbot_connection_number"] == 1
    assert after["malexbot_channel_accessible"] == 1


def test_a_refused_token_is_told_with_its_cure(
    config: Path, start: Start, mattermost: Mattermost
) -> None:
    daemon = start(config)
    daemon.wait_for_status("mattermost: connected")
    mattermost.scene.revoke_token(mattermost.town.token)
    mattermost.faults.cut(user_id=mattermost.town.bot)
    daemon.wait_for_status("unauthorised")
    (finding,) = status(config)["findings"]
    assert "does not let us in" in finding["what"]
    assert "mattermost.token" in finding["cure"]
    assert scrape(config)["malexbot_connection_up"] == 0


def test_a_killed_daemon_is_told_with_its_cure(config: Path, start: Start) -> None:
    daemon = start(config)
    daemon.wait_for_status("mattermost: connected")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: status(config)["database"]["holder"] is None)
    told = status(config)
    assert "the daemon does not run" in told["summary"]
    assert "systemctl start malexbot" in told["findings"][0]["cure"]
    assert told["database"]["channels"]
