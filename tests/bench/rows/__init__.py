"""What is measured, one file a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.bench.figures import Figure
from tests.bench.rows.archive import archive, filtered
from tests.bench.rows.backfill import backfill
from tests.bench.rows.growth import growth
from tests.bench.rows.idle import idle
from tests.bench.rows.reply import reply
from tests.bench.rows.route import route
from tests.bench.rows.search import search
from tests.bench.stage import Scale, Stage

ROWS: Mapping[str, Callable[[Stage, Scale], Sequence[Figure]]] = {
    "archive": archive,
    "filter": filtered,
    "reply": reply,
    "backfill": backfill,
    "growth": growth,
    "search": search,
    "route": route,
    "idle": idle,
}
