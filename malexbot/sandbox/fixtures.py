"""pytest fixtures for people who write plugins.

Switch them on in a conftest: `pytest_plugins = ["malexbot.sandbox.fixtures"]`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from malexbot.sandbox.daemon import PATIENCE_S, DaemonProcess
from malexbot.sandbox.home import Home
from malexbot.sandbox.ledger import Entry
from malexbot.sandbox.model import Json
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build

CONNECTED = "mattermost: connected"
SWITCHED_OFF = "a plugin is switched off"
# A first start makes a PostgreSQL, and the machine may be busy.
START_S = 60.0
LOOK_EVERY_S = 0.02


Seen = TypeVar("Seen")


class Mattermost(Sandbox):
    """A started sandbox with a town in it."""

    town: Town

    def wait_for_posts(
        self, count: int = 1, seconds: float = PATIENCE_S
    ) -> list[Entry]:
        """What the bot has said, oldest first, once it is so much."""

        def said() -> list[Entry]:
            return self.ledger.entries(user_id=self.town.bot)

        return _wait_for(said, count, seconds, "said")

    def wait_for_whispers(
        self, user_id: str, count: int = 1, seconds: float = PATIENCE_S
    ) -> list[Json]:
        """What is shown to this one alone, once it is so much."""

        def whispered() -> list[Json]:
            return self.acts.whispers(user_id)

        return _wait_for(whispered, count, seconds, "whispered")

    def wait_for_dialogs(
        self, user_id: str, count: int = 1, seconds: float = PATIENCE_S
    ) -> list[Json]:
        """What was opened before this one, once it is so much."""

        def opened() -> list[Json]:
            return self.acts.dialogs(user_id)

        return _wait_for(opened, count, seconds, "opened")


def _wait_for(
    look: Callable[[], list[Seen]], count: int, seconds: float, what: str
) -> list[Seen]:
    until, pause = time.monotonic() + seconds, threading.Event()
    while len(seen := look()) < count:
        if time.monotonic() > until:
            pytest.fail(f"the bot {what} {len(seen)} of {count} in {seconds:g} s")
        pause.wait(LOOK_EVERY_S)
    return seen


@pytest.fixture
def mattermost() -> Iterator[Mattermost]:
    """A Mattermost with a team, people, a bot with a token, and channels."""
    sandbox = Mattermost()
    sandbox.town = build(sandbox.scene)
    with sandbox:
        yield sandbox


class StartDaemon(Protocol):
    """Starts `malexbot run` and returns once it listens to the sandbox."""

    def __call__(
        self, text: str = "", /, *, commands: Sequence[str] = (), **blocks: Any
    ) -> DaemonProcess: ...


@pytest.fixture
def malexbot_daemon(mattermost: Mattermost) -> Iterator[StartDaemon]:
    """Starts daemons on the sandbox; give blocks of the configuration, or its text.

    What is not given is filled in: where the sandbox is, a PostgreSQL of its own, a
    free port. `commands=["/greet"]` registers slash commands for it. A test that fails
    shows the log of each daemon.
    """
    with ExitStack() as stack:

        def start(
            text: str = "", /, *, commands: Sequence[str] = (), **blocks: Any
        ) -> DaemonProcess:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mx-"))
            token = mattermost.town.token
            home = Home(Path(folder), url=mattermost.url, token=token)
            stack.callback(home.end_database)
            if commands:
                tokens = _registered(mattermost, home.public_url, commands)
                told = {"command_tokens": tokens, **blocks.get("mattermost", {})}
                blocks["mattermost"] = told
            config = home.write_config(text, blocks)
            daemon = DaemonProcess(config, environ=home.environ)
            stack.callback(lambda: sys.stderr.write(daemon.log))
            stack.enter_context(daemon)
            _wait_for_connection(daemon)
            if SWITCHED_OFF in daemon.log:
                pytest.fail(f"{SWITCHED_OFF}; its log tells why")
            return daemon

        yield start


def _registered(
    mattermost: Mattermost, url: str, commands: Sequence[str]
) -> dict[str, str]:
    """The tokens of the commands, which lead there now."""
    town, acts = mattermost.town, mattermost.acts
    made = {
        name: acts.add_command(town.team, name.lstrip("/"), f"{url}/slash", town.admin)
        for name in commands
    }
    return {name: command["token"] for name, command in made.items()}


def _wait_for_connection(daemon: DaemonProcess) -> None:
    until = time.monotonic() + START_S
    while CONNECTED not in daemon.status:
        try:
            code = daemon.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() > until:
                pytest.fail(f"it did not connect within {START_S:g} s")
        else:
            pytest.fail(f"malexbot ended with exit code {code}; its log tells why")
