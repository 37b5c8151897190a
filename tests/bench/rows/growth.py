"""growth: does it stay as fast with more channels, and with more in the archive?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from malexbot.storage.dsn import Dsn
from tests.bench.figures import Figure, Goal
from tests.bench.mattermost import Mattermost
from tests.bench.rows.live import Live, Run, costs, speeds
from tests.bench.stage import Rows, Scale, Stage

GOAL = Goal(0.9, is_least=True)
# Ten a second since long ago, with as much text as people write.
_MANY = """
INSERT INTO posts (
  id, channel_id, user_id, root_id, type, message, create_at, update_at, edit_at, raw,
  kept_from
)
SELECT substr(md5(n::text), 1, 26), 'channel' || n % 500, 'user' || n % 1000, '', '',
  repeat(md5(n::text) || ' ', 3), at, at, 0,
  '{{"message":"' || repeat(md5(n::text) || ' ', 15) || '"}}', 0
FROM (SELECT n, 1500000000000 + n * 100::bigint FROM generate_series(1, {posts}) n)
  AS many (n, at)
"""


def growth(stage: Stage, scale: Scale) -> Sequence[Figure]:
    return [*_by_channels(stage, scale), *_by_posts(stage, scale)]


def _by_channels(stage: Stage, scale: Scale) -> Sequence[Figure]:
    sizes = [1, 10] if scale.is_quick else [1, 100, 10_000]
    posts = scale.of(50_000, 1_000)
    turns = [
        [Live(stage=stage, posts=posts, channels=size).malexbot() for size in sizes]
        for _ in range(scale.turns)
    ]
    return _figures(turns, [f"{size:,} channels" for size in sizes])


def _by_posts(stage: Stage, scale: Scale) -> Sequence[Figure]:
    sizes = [0, 10_000] if scale.is_quick else [0, 1_000_000, 5_000_000]
    live = Live(stage=stage, posts=scale.of(50_000, 1_000))
    with ExitStack() as stack:
        databases = [stack.enter_context(stage.database()) for _ in sizes]
        for dsn, size in zip(databases, sizes, strict=True):
            _fill(dsn, size)
        turns = [[_on(live, dsn) for dsn in databases] for _ in range(scale.turns)]
    return _figures(turns, [f"{size:,} posts archived" for size in sizes])


def _on(live: Live, dsn: Dsn) -> Run:
    with Mattermost(channels=live.channels) as server:
        return live.malexbot_on(server, dsn)


def _fill(dsn: Dsn, posts: int) -> None:
    with Rows(dsn) as rows:
        rows.do(_MANY.format(posts=posts))
        rows.do("VACUUM ANALYZE posts")
        rows.do("CHECKPOINT")


def _figures(turns: Sequence[Sequence[Run]], names: Sequence[str]) -> list[Figure]:
    """The first size is what the others are held against."""
    first = [runs[0] for runs in turns]
    figures = []
    for at, name in enumerate(names[1:], 1):
        ours = [runs[at] for runs in turns]
        for what, unit, of, goal in (
            ("speed", "events/s", speeds, GOAL),
            ("CPU", "µs/event", costs, None),
        ):
            figures.append(
                Figure(
                    row="growth",
                    name=f"{what} with {name}",
                    unit=unit,
                    ours=of(ours),
                    beside=of(first),
                    beside_name=names[0],
                    goal=goal,
                )
            )
    return figures
