"""Daemons with one more service, which does what a test wants to see."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from malexbot.app import Composition, compose
from malexbot.cli.run import leave, serve
from malexbot.pipe import Parts
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Service


class Busy:
    """Has two seconds of work left when it is told to stop."""

    name = "busy"
    is_vital = False

    def __init__(self, parts: Parts) -> None:
        pass

    def run(self, stop: Stop) -> None:
        while not stop.wait(60):
            pass
        print("draining", file=sys.stderr, flush=True)
        done = threading.Event().wait(min(2, stop.deadline.left_s))
        print(f"drained: {done is False}", file=sys.stderr, flush=True)


class Endless:
    """Has work for ever, and only ends when its deadline does."""

    name = "endless"
    is_vital = False

    def __init__(self, parts: Parts) -> None:
        pass

    def run(self, stop: Stop) -> None:
        while not stop.wait(60):
            pass
        print("draining", file=sys.stderr, flush=True)
        while not stop.deadline.is_over:
            threading.Event().wait(0.02)


class Hanging:
    """Computes for ever once the file `hang` lies beside its state."""

    name = "hanging"
    is_vital = False

    def __init__(self, parts: Parts) -> None:
        self._mark = parts.config.state_dir.with_name("hang")

    def run(self, stop: Stop) -> None:
        while not self._mark.exists():
            if stop.wait(0.05):
                return
        lock = threading.Lock()
        for _ in "twice":
            lock.acquire()


class Writer:
    """Writes a row each 20 ms, as long as it may."""

    name = "writer"
    is_vital = False

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self, stop: Stop) -> None:
        while not stop.wait(0.02):
            epoch = self._parts.leadership.epoch
            with self._parts.database.fenced_transaction(epoch) as cursor:
                cursor.execute(
                    "INSERT INTO probe VALUES (%s, %s)", (os.getpid(), epoch)
                )


class FullDisk:
    """Where files are kept nothing can be written while `full` lies beside the state.

    All else goes on: it is as a quota is, or another disk.
    """

    name = "full-disk"
    is_vital = False

    def __init__(self, parts: Parts) -> None:
        self._mark = parts.config.state_dir.with_name("full")
        self._folder = str(parts.config.state_dir / "files")
        self._write, self._sync = os.write, os.fsync
        edge: Any = os
        edge.write, edge.fsync = self._write_if_room, self._sync_if_room

    def run(self, stop: Stop) -> None:
        while not stop.wait(60):
            pass

    def _write_if_room(self, number: int, content: bytes) -> int:
        self._demand_room(number)
        return self._write(number, content)

    def _sync_if_room(self, number: int) -> None:
        self._demand_room(number)
        self._sync(number)

    def _demand_room(self, number: int) -> None:
        if os.readlink(f"/proc/self/fd/{number}").startswith(self._folder):
            if self._mark.exists():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def broken(parts: Parts) -> Service:
    """Cannot be built, and says so with a secret."""
    token = parts.config.secrets()[-1]
    raise RuntimeError(f"cannot build with {token}")


MORE: dict[str, Callable[[Parts], Service]] = {
    "broken": broken,
    "busy": Busy,
    "endless": Endless,
    "full-disk": FullDisk,
    "hanging": Hanging,
    "writer": Writer,
}


def main(more: str, config_file: Path) -> None:
    def with_more(parts: Parts) -> Composition:
        usual = compose(parts)
        return replace(usual, services=[*usual.services, MORE[more](parts)])

    leave(serve(config_file, with_more))


def program(more: str) -> tuple[str, ...]:
    """The command line of such a daemon."""
    return (sys.executable, "-m", f"{__package__}.{Path(__file__).stem}", more)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[3]))
