"""A small soak: what leaks with each event is seen in some thousand of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.growth import Sample, complaints, slope_mb

ROOT = Path(__file__).parents[2]


def samples(
    mb: float = 0.0, fds: float = 0.0, threads: float = 0.0, first_mb: float = 0.0
) -> list[Sample]:
    """Of a daemon that grows by so much each 100 000 events."""
    return [
        Sample(
            events=turn * 50_000,
            rss_mb=70 + mb * turn / 2 - (first_mb if turn < 2 else 0),
            fds=20 + int(fds * turn),
            threads=30 + int(threads * turn),
        )
        for turn in range(21)
    ]


@pytest.mark.slow
def test_nothing_grows_and_nothing_is_missing() -> None:
    # The memory of a young daemon still settles, and not every worker has sent
    # something yet: that is for the long run.
    words = ["--events", "20000", "--every", "2000"]
    words += ["--most-mb", "100", "--most-fds", "10"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "20000 events" in done.stdout


def test_what_is_flat_is_well() -> None:
    assert not list(complaints(samples(mb=0.9, first_mb=30)))


@pytest.mark.parametrize(
    ("grown", "told"),
    [
        ({"mb": 1.1}, "memory grows by 1.10 MB per 100000 events"),
        ({"fds": 0.2}, "file descriptors grow: 21 in the first half, 24"),
        ({"threads": 0.1}, "threads grow: 30 in the first half, 32"),
    ],
    ids=["memory", "files", "threads"],
)
def test_what_grows_is_told(grown: dict[str, float], told: str) -> None:
    (complaint,) = complaints(samples(**grown))
    assert told in complaint


def test_the_slope_is_that_of_a_warm_daemon() -> None:
    assert slope_mb(samples(mb=0.5, first_mb=20)) == pytest.approx(0.5)
