"""Moves all that one database holds into another: a backup read while it is written."""

from __future__ import annotations

import os
import threading

from malexbot.errors import MalexbotError
from malexbot.storage.backup import Tell, write_backup
from malexbot.storage.database import Database
from malexbot.storage.restore import read_backup


def move(source: Database, target: Database, *, tell: Tell) -> int:
    """Copy everything, or nothing; returns the number of rows. The source stays."""
    out, into = os.pipe()
    writer = _Writer(source, into)
    try:
        with open(out, "rb", buffering=1 << 16) as stream:
            writer.start()
            return read_backup(target, stream, tell=tell)
    except MalexbotError as error:
        # the reader has left, so the writer ends; its reason is the first one
        writer.join()
        raise writer.error or error from error
    finally:
        writer.join()


class _Writer(threading.Thread):
    """Fills the pipe; its end without a trailer tells the reader that it failed."""

    def __init__(self, source: Database, into: int) -> None:
        super().__init__(name="move-backup")
        self._source = source
        self._into = into
        self.error: MalexbotError | None = None

    def run(self) -> None:
        try:
            with open(self._into, "wb", buffering=1 << 16) as sink:
                write_backup(self._source, sink, tell=_nothing, is_alone=True)
        except BrokenPipeError:
            return
        except MalexbotError as error:
            self.error = error


def _nothing(_: str) -> None:
    """The reader tells the progress."""
