"""What a process holds: threads, files, and lines to others."""

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
    held = [_target(file) for file in (process / "fd").iterdir()]
    lines = sum(target.startswith("socket:") for target in held)
    threads = len(list((process / "task").iterdir()))
    return Footprint(threads, len(held) - lines, lines)


def _target(file: Path) -> str:
    """Empty: it was closed meanwhile."""
    try:
        return os.readlink(file)
    except FileNotFoundError:
        return ""
