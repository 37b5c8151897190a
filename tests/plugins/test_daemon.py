"""A plugin in a daemon: it fails, is mended, changed, and fails again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.process.conftest import folder, start, write_config
from tests.support.threads import eventually

__all__ = ["folder", "mattermost", "start", "write_config"]

ECHO = """
from malexbot.plugins import Processor

class Echo(Processor):
    name = "echo"

    def wants(self, event, occasion):
        return True

    def handle(self, event, occasion, bot):
        bot.reply("{} " + event.message.text)
"""


@pytest.fixture
def ask(mattermost: Mattermost) -> Callable[[str, str], None]:
    """Says a text, and waits for an answer; older texts may be answered meanwhile."""
    town = mattermost.town

    def ask(text: str, answer: str) -> None:
        mattermost.scene.post(town.channel, town.alice, text)
        said = partial(mattermost.ledger.entries, user_id=town.bot)
        eventually(lambda: answer in [entry.text for entry in said()])

    return ask


def reload(daemon: DaemonProcess) -> None:
    ready = len(daemon.notices("READY"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: len(daemon.notices("READY")) > ready)


def test_a_plugin_that_fails_is_off_until_it_is_mended(
    empty_database: Dsn,
    write_config: Callable[..., Path],
    start: Callable[..., DaemonProcess],
    mattermost: Mattermost,
    ask: Callable[[str, str], None],
) -> None:
    settings: dict[str, Any] = {
        "http_host": mattermost.url,
        "token": mattermost.town.token,
        "listen_channels": ["*"],
        "target_events_processors": {"posted": ["response", "echo"]},
    }
    config = write_config(
        "one",
        empty_database,
        mattermost=settings,
        plugins=["echo.py"],
        responses=[{"when": "'ping' in event.message.text", "reply": "pong"}],
    )
    plugin = config.with_name("echo.py")
    plugin.write_text("x = = 1\n")

    daemon = start(config)
    daemon.wait_for_status("mattermost: connected")
    off = "plugin echo.py: off: line 1: SyntaxError: invalid syntax"
    assert off in daemon.status
    assert "a plugin is switched off: plugins[1]: echo.py: line 1" in daemon.log
    ask("ping", "pong")

    plugin.write_text(ECHO.format("first"))
    reload(daemon)
    daemon.wait_until(lambda: "plugin echo.py" not in daemon.status)
    ask("a", "first a")

    plugin.write_text(ECHO.format("other"))
    reload(daemon)
    ask("b", "other b")

    plugin.write_text("x = = 1\n")
    reload(daemon)
    daemon.wait_for_log("reload refused, the old settings stay")
    ask("c", "other c")
