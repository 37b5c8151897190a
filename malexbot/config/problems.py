"""What is wrong with a configuration, told all at once and on one screen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from malexbot.errors import Misconfigured

# One screen: a headline, these many problems and a line that counts the rest.
SHOWN = 20
LINE_WIDTH = 160
PART_WIDTH = 40

_START = re.compile(r"[\w.*-]+")

# Where a value stands in the file: the keys and list indexes that lead to it.
Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change: where it is, what is wrong, and how to put it right."""

    file: Path
    line: int | None
    path: str
    text: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        line = f" (line {self.line})" if self.line else ""
        hint = f"; {self.hint}" if self.hint else ""
        return clipped(printable(f"{where}{self.text}{line}{hint}"), LINE_WIDTH)


class ConfigProblems(Misconfigured):
    """The configuration cannot be used; `problems` says all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        count = len(self.problems)
        told = "a problem" if count == 1 else f"{count} problems"
        lines = [f"{self.problems[0].file} has {told}:"]
        lines += [f"  {problem}" for problem in self.problems[:SHOWN]]
        if count > SHOWN:
            lines.append(f"  … and {count - SHOWN} more")
        return lines


def dotted(where: Where) -> str:
    """The path as people write it: `mattermost.listen_channels[2]`."""
    path = ""
    for part in where:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        else:
            path += f".{_name(part)}" if path else _name(part)
    return path


def _name(key: str) -> str:
    """A setting's name; of anything else only the start, it may hold a secret."""
    name = _START.match(key)
    if name is None or name[0] == key:
        return plain(key)
    return plain(f"{name[0]}{':' if key[name.end()] == ':' else ''}…")


def plain(text: str) -> str:
    """Foreign text made fit for one line of a message."""
    return clipped(printable(text), PART_WIDTH)


def printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
