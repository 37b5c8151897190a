"""What a process holds: threads, files, lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A pool may hold a few lines more than it did.
SLACK = 8


class Footprint(NamedTuple):
    """How many of each."""

    threads: int
    files: int
    lines: int

    def leaks(self, before: Footprint) -> Iterator[str]:
        """What there is more of than before."""
        for name, now, then in zip(self._fields, self, before, strict=True):
            if now > then + SLACK:
                yield f"{now} {name}, there were {then}"


def footprint(pid: int) -> Footprint:
    """Of a living process."""
    process = Path("/proc") / str(pid)
    files = [_target(file) for file in (process / "fd").iterdir()]
    lines = [target for target in files if target.startswith("socket:")]
    return Footprint(len(list((process / "task").iterdir())), len(files), len(lines))


def _target(file: Path) -> str:
    """Empty: it was closed meanwhile."""
    try:
        return os.readlink(file)
    except FileNotFoundError:
        return ""
