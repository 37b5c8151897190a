"""The fixtures work in the tests of somebody who writes a plugin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from malexbot.sandbox.fixtures import StartDaemon, malexbot_daemon, mattermost
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.support.settings import db_block

__all__ = ["malexbot_daemon", "mattermost"]

pytestmark = pytest.mark.untraced

GUIDE = (Path(__file__).parents[2] / "malexbot" / "plugins" / "README.md").read_text()

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


CONFTEST = 'pytest_plugins = ["malexbot.sandbox.fixtures"]\n'

FAILING = """
import signal
from pathlib import Path

CONFIG = '''
# as an operator writes it
plugins: [%s]
mattermost:
  http_host: ${MATTERMOST_URL}
  token: ${MATTERMOST_TOKEN}
  listen_channels: [malex/general]
  target_events_processors: {posted: [greet]}
'''

def test_the_log_is_shown(mattermost, malexbot_daemon):
    daemon = malexbot_daemon(CONFIG % Path(__file__).with_name("greet.py"))
    daemon.signal(signal.SIGKILL)
    assert daemon.wait() == 0

def test_a_plugin_that_fails_is_told_at_once(malexbot_daemon, tmp_path):
    (tmp_path / "bad.py").write_text("x = = 1")
    malexbot_daemon(plugins=[tmp_path / "bad.py"])

def test_a_config_that_is_wrong_is_told_at_once(malexbot_daemon):
    malexbot_daemon(plugin=["greet.py"])
"""


def run_pytest(folder: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return run.stdout + run.stderr


def write_guide(folder: Path) -> None:
    """The files that the guide for plugins shows."""
    for name, text in re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL):
        (folder / name).write_text(text)


def test_a_plugin_author_needs_one_line(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_plugin.py").write_text(TEST)
    said = run_pytest(tmp_path)
    assert "1 passed" in said, said


def test_a_plugin_is_tested_in_the_real_daemon(tmp_path: Path) -> None:
    write_guide(tmp_path)
    assert (tmp_path / "conftest.py").read_text() == CONFTEST
    said = run_pytest(tmp_path)
    assert "1 passed" in said, said


def test_a_database_may_be_given(
    empty_database: Dsn, malexbot_daemon: StartDaemon
) -> None:
    dsn = empty_database
    malexbot_daemon(db=db_block(dsn))
    with Database(dsn) as database, database.transaction() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [dsn.dbname]
        )
        assert cursor.fetchall() > [(1,)]


def test_what_fails_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    write_guide(tmp_path)
    (tmp_path / "test_greet.py").write_text(FAILING)
    said = run_pytest(tmp_path)
    assert "3 failed" in said, said
    assert "daemon: malexbot" in said, said
    assert "bad.py: line 1: SyntaxError: invalid syntax" in said, said
    assert "plugin: unknown key" in said and "did you mean 'plugins'?" in said, said
    (folder,) = {*re.findall(r"/mx-\w+", said.partition("test_a_plugin_that")[0])}
    assert folder not in "".join(map(read, Path("/proc").glob("[0-9]*/cmdline")))


def read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def test_only_the_fixtures_need_pytest() -> None:
    code = (
        "import sys, malexbot.sandbox.__main__, malexbot.sandbox.process;"
        "sys.exit('pytest' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
