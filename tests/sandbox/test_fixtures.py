"""The fixtures work in the tests of somebody who writes a plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEST = """
import requests

def test_a_bot_can_answer(mattermost):
    town = mattermost.town
    question = mattermost.scene.post(town.channel, town.alice, "how are you?")
    requests.post(
        mattermost.url + "/api/v4/posts",
        json={"channel_id": town.channel, "root_id": question, "message": "fine"},
        headers={"Authorization": "Bearer " + town.token},
        timeout=10,
    )
    assert [a.text for a in mattermost.ledger.answers(question)] == ["fine"]
"""


def test_a_plugin_author_needs_one_line(tmp_path: Path) -> None:
    conftest = 'pytest_plugins = ["malexbot.sandbox.fixtures"]\n'
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_plugin.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 passed" in run.stdout, run.stdout + run.stderr


def test_only_the_fixtures_need_pytest() -> None:
    code = (
        "import sys, malexbot.sandbox.__main__, malexbot.sandbox.process;"
        "sys.exit('pytest' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
