"""A stage on which nothing runs: its world is there, its archive is a dict."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from malexbot.cli.demo.ending import Ending
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller


class BareStage(Stage):
    """What the archive holds is said by the test, and so is malexbot's state."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Ending())
        self.archived: dict[str, Any] = {}
        self.has_fallen = False
        self.is_here = True
        self.starts = 0

    def rows(self, since: int = 0) -> dict[str, Any]:
        return {
            id: row for id, row in self.archived.items() if row["create_at"] >= since
        }

    def keep(self, post_id: str) -> None:
        """Archive the post as it is now."""
        entry = self.mattermost.ledger.table[post_id]
        self.archived[post_id] = {
            "id": post_id,
            "create_at": entry.create_at,
            "message": entry.text,
            "delete_at": entry.delete_at,
        }

    @property
    def is_down(self) -> bool:
        return self.has_fallen

    @property
    def is_listening(self) -> bool:
        return self.is_here and not self.has_fallen

    def start_daemon(self) -> None:
        self.starts += 1


@pytest.fixture
def stage(tmp_path: Path) -> BareStage:
    return BareStage(tmp_path)


@pytest.fixture
def paper() -> io.StringIO:
    """What was told."""
    return io.StringIO()


@pytest.fixture
def teller(paper: io.StringIO) -> Teller:
    return Teller(Console(file=paper, width=80, markup=False, highlight=False))


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """The demo's folder is made in one of ours, which is empty in the end."""
    with tempfile.TemporaryDirectory(prefix="md-") as name:
        yield {**os.environ, "TMPDIR": name, "PYTHONUNBUFFERED": "1"}
        assert list(Path(name).iterdir()) == []
        assert processes_in(name) == []


def processes_in(folder: str) -> list[str]:
    """Who runs in a folder, even a deleted one, or was told of it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = os.readlink(process / "cwd")
            words = (process / "cmdline").read_text()
        except OSError:
            continue
        if place.startswith(folder) or folder in words:
            found.append(words.replace("\0", " "))
    return found
