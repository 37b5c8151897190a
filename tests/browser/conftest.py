"""A browser for all tests, and a demo with a real daemon for those that need one."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.sandbox.fixtures import mattermost
from tests.browser.chromium import PATIENCE_S, Chromium, Tab
from tests.support.packages import need

__all__ = ["mattermost"]

_DEMO = (sys.executable, "-m", "malexbot", "demo", "--folder")
_ADDRESS = re.compile(r"in a browser:\s+(http://\S+)")
# A first start makes a PostgreSQL.
_START_S = 90.0


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    need("chromium")
    with Chromium() as browser:
        yield browser


class Demo:
    """A `malexbot demo` that nobody sits at."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "told"
        self.config = folder / "demo" / "malexbot.yaml"
        with self._told.open("w") as file:
            self._process = subprocess.Popen(
                (*_DEMO, str(self.config.parent)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def told(self) -> str:
        return self._told.read_text()

    def wait_for(self, pattern: re.Pattern[str]) -> str:
        until, pause = time.monotonic() + _START_S, threading.Event()
        while not (found := pattern.search(self.told)):
            is_well = self._process.poll() is None and time.monotonic() < until
            assert is_well, f"no {pattern.pattern} in\n{self.told}"
            pause.wait(0.05)
        return found[1]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Started once for a module; bob has said all that he says by himself."""
    started = Demo(tmp_path_factory.mktemp("demo"))
    try:
        started.wait_for(re.compile("(deleted: Lunch)"))
        yield started
    finally:
        started.close()


@pytest.fixture
def alice(chromium: Chromium, demo: Demo) -> Iterator[Tab]:
    """Alice's page, with all that was said; in the end nothing was wrong on it."""
    with chromium.open(demo.wait_for(_ADDRESS)) as tab:
        tab.wait("document.querySelectorAll('.post').length > 5")
        tab.wait("document.querySelector('#state').dataset.mood === 'good'")
        yield tab
        assert tab.errors() == []
