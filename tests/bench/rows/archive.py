"""archive and filter: from the socket into PostgreSQL, beside a bare loop."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figures import Figure, Goal
from tests.bench.rows.live import Live, costs, speeds
from tests.bench.stage import Scale, Stage

LOOP = "bare loop"


def archive(stage: Stage, scale: Scale) -> Sequence[Figure]:
    live = Live(stage=stage, posts=scale.of(100_000, 2_000))
    return _beside("archive", live, scale, Goal(1.0, is_least=True))


def filtered(stage: Stage, scale: Scale) -> Sequence[Figure]:
    live = Live(stage=stage, posts=scale.of(100_000, 2_000), wanted_of=100)
    return _beside("filter", live, scale, Goal(0.7, is_least=True))


def _beside(row: str, live: Live, scale: Scale, goal: Goal) -> Sequence[Figure]:
    pairs = [(live.malexbot(), live.bare()) for _ in range(scale.turns)]
    ours, bare = [run for run, _ in pairs], [run for _, run in pairs]
    return [
        Figure(
            row=row,
            name="speed",
            unit="events/s",
            ours=speeds(ours),
            beside=speeds(bare),
            beside_name=LOOP,
            goal=goal,
        ),
        Figure(
            row=row,
            name="CPU of the process",
            unit="µs/event",
            ours=costs(ours),
            beside=costs(bare),
            beside_name=LOOP,
        ),
        Figure(
            row=row,
            name="connections it took",
            unit="",
            ours=[run.connections for run in ours],
        ),
    ]
