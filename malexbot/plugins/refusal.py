"""Why a plugin is switched off, in one line for its author and for the operator."""

from __future__ import annotations

import traceback
from types import TracebackType

from malexbot.config.problems import clipped

# A path of another plugin has room in it.
LONGEST_REASON = 240


class Refused(Exception):
    """A plugin cannot be used; the message tells its author why."""


def told(error: BaseException, file: str = "") -> str:
    """The error in one line, with the line of the file that it comes from."""
    line = _line(error, file)
    where = f"line {line}: " if line else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    kind = "" if isinstance(error, Refused) else f"{type(error).__name__}: "
    words = " ".join(f"{kind}{text}".split()).rstrip(": ")
    return clipped(f"{where}{words}", LONGEST_REASON)


def _line(error: BaseException, file: str) -> int | None:
    """The last line of that file that had a part in it."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [line for name, line in _steps(error.__traceback__) if name == file]
    return lines[-1] if lines else None


def _steps(trace: TracebackType | None) -> list[tuple[str, int | None]]:
    return [(step.filename, step.lineno) for step in traceback.extract_tb(trace)]
