"""`python -m tests.crash --seeds 1 2 3`: kills the daemon on the way to Redis."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from malexbot.storage.embedded import Embedded
from tests.crash.routes import Found, play, staged
from tests.support.postgres import Server

SHOWN = 5
COLUMNS = ("seed", "events", "kills", "lost", "doubled", "out of order", "expired", "s")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(width=options.width, highlight=False)
    table = Table(*COLUMNS)
    rights = []
    with tempfile.TemporaryDirectory(prefix="mc-") as folder:
        with Embedded(Path(folder, "pg"), fsync=False) as embedded:
            server = Server(embedded.dsn)
            for seed in options.seeds:
                place = Path(folder, str(seed))
                place.mkdir()
                with staged(server.migrated(), place) as stage:
                    found = play(
                        stage,
                        seed,
                        events=options.events,
                        chance=options.chance,
                        per_second=options.rate,
                    )
                    table.add_row(str(seed), *_row(found))
                    console.print(seed, *_row(found))
                    _show(found, console)
                    rights.append(found.is_right)
    console.print(table)
    return 0 if all(rights) else 1


def _row(found: Found) -> Sequence[str]:
    wrong = map(len, (found.lost, found.doubled, found.disordered))
    counts = (found.events, found.kills, *wrong)
    return [*map(str, (*counts, found.expired)), f"{found.seconds:.0f}"]


def _show(found: Found, console: Console) -> None:
    for name in ("lost", "doubled", "disordered"):
        for each in getattr(found, name)[:SHOWN]:
            console.print(f"{name}: {each}", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=25, help="events a second")
    parser.add_argument("--chance", type=float, default=0.002, help="to die at a step")
    parser.add_argument("--width", type=int, help="of the table; else the terminal's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
