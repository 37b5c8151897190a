"""What a daemon holds while it works, and whether that grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import linear_regression
from typing import NamedTuple

MOST_MB = 1.0
PER_EVENTS = 100_000
# Until then what is remembered on purpose fills up: names, prepared statements.
WARM_UP = 0.2


class Sample(NamedTuple):
    """What it held after so many events."""

    events: int
    rss_mb: float
    fds: int
    threads: int


def slope_mb(samples: Sequence[Sample]) -> float:
    """By how much the memory grew each 100 000 events, when it was warm."""
    warm = _warm(samples)
    line = linear_regression([s.events for s in warm], [s.rss_mb for s in warm])
    return line.slope * PER_EVENTS


def complaints(
    samples: Sequence[Sample], *, most_mb: float = MOST_MB, most_fds: int = 0
) -> Iterator[str]:
    """What grows; nothing means that it can go on like this for ever."""
    if (grown := slope_mb(samples)) > most_mb:
        yield f"memory grows by {grown:.2f} MB per {PER_EVENTS} events"
    fds, threads = [s.fds for s in samples], [s.threads for s in samples]
    yield from _grown("file descriptors", fds, most_fds)
    yield from _grown("threads", threads, 0)


def _grown(name: str, held: Sequence[int], most: int) -> Iterator[str]:
    """More in the second half than ever in the first one."""
    middle = len(held) // 2
    before, after = max(held[:middle]), max(held[middle:])
    if after > before + most:
        yield f"{name} grow: {before} in the first half, {after} in the second"


def _warm(samples: Sequence[Sample]) -> Sequence[Sample]:
    last = samples[-1].events
    return [sample for sample in samples if sample.events >= last * WARM_UP]
