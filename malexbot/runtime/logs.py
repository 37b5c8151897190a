"""Log lines for journald, a terminal or a machine, with ids and without secrets."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from malexbot.config.model import Config
from malexbot.runtime.masks import Mask

Style = Literal["auto", "text", "journal", "json"]

_ids: ContextVar[Mapping[str, object]] = ContextVar("ids")

# syslog's numbers, which journald reads from the start of a line.
PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (0, 7),
)
COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m"}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"


@contextmanager
def ids(**more: object) -> Iterator[None]:
    """Within the block each line of the calling thread carries these ids too."""
    token = _ids.set({**_ids.get({}), **more})
    try:
        yield
    finally:
        _ids.reset(token)


class Masked(logging.Formatter):
    """A line for the eye; what the mask covers never leaves it."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self.mask(self.render(record))

    def render(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        return f"{clock} {record.levelname:<7} {self.words(record)}"

    def words(self, record: logging.LogRecord) -> str:
        """Message, ids, and what was raised."""
        line = f"{short_name(record)}: {record.getMessage()}"
        if carried := _ids.get({}):
            line += " [%s]" % " ".join(f"{key}={carried[key]}" for key in carried)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class Coloured(Masked):
    """The same on a terminal."""

    def render(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        colour = COLOURS.get(record.levelname, "")
        return f"{DIM}{clock}{PLAIN} {colour}{self.words(record)}{PLAIN}"


class Journal(Masked):
    """For journald, which keeps the time itself and wants the priority in each line."""

    def render(self, record: logging.LogRecord) -> str:
        mark = f"<{priority(record.levelno)}>"
        lines = self.words(record).splitlines() or [""]
        return "\n".join(mark + line for line in lines)


class Json(Masked):
    """One JSON object a line; masked value by value, so that it stays JSON."""

    def format(self, record: logging.LogRecord) -> str:
        row = {key: self._masked(value) for key, value in self.row(record).items()}
        return json.dumps(row, ensure_ascii=False)

    def _masked(self, value: object) -> object:
        text = str(value)
        masked = self.mask(text)
        is_number = isinstance(value, int | float) and masked == text
        return value if is_number else masked

    def row(self, record: logging.LogRecord) -> dict[str, object]:
        row: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": short_name(record),
            "thread": record.threadName,
            "message": record.getMessage(),
            **_ids.get({}),
        }
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return row


def priority(level: int) -> int:
    return next(number for least, number in PRIORITIES if level >= least)


def short_name(record: logging.LogRecord) -> str:
    return record.name.removeprefix("malexbot.")


def is_journal(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Yes means that journald itself reads what is written to `stream`."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(there.st_dev), str(there.st_ino))


def formatter(style: Style, stream: IO[str], mask: Mask) -> Masked:
    if style == "json":
        return Json(mask)
    if style == "journal" or style == "auto" and is_journal(stream, os.environ):
        return Journal(mask)
    if style == "auto" and stream.isatty() and "NO_COLOR" not in os.environ:
        return Coloured(mask)
    return Masked(mask)


class Logs:
    """The process's one log stream, set up at start and again by a reload."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self.mask = Mask()
        self._handler = logging.StreamHandler(self._stream)

    def start(self) -> None:
        logging.getLogger().addHandler(self._handler)
        logging.captureWarnings(True)
        logging.raiseExceptions = False
        threading.excepthook = log_thread_failure
        sys.excepthook = log_failure

    def stop(self) -> None:
        logging.getLogger().removeHandler(self._handler)
        logging.captureWarnings(False)
        threading.excepthook = threading.__excepthook__
        sys.excepthook = sys.__excepthook__

    def set_up(self, config: Config) -> None:
        """Secrets only add up: a line may still carry one of an older config."""
        self.mask.add(config.secrets())
        self._handler.setFormatter(
            formatter(config.log.format, self._stream, self.mask)
        )
        logging.getLogger().setLevel(config.log.level.upper())


def log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_type is SystemExit or failure.exc_value is None:
        return
    name = failure.thread.name if failure.thread else "?"
    logging.getLogger("malexbot.threads").error(
        "thread %s died",
        name,
        exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback),
    )


def log_failure(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The last words of the main thread go through the mask too."""
    logging.getLogger("malexbot").critical("failed", exc_info=(kind, error, trace))
