"""`python -m tests.bench [NAME…] [--quick]`: measures malexbot beside the limit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.chart import chart
from tests.bench.figures import Figure
from tests.bench.report import as_json, as_markdown, machine, show
from tests.bench.rows import ROWS
from tests.bench.stage import Scale, stage

TURNS = 5
RESULTS = Path(__file__).with_name("results")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    turns = options.turns or (1 if options.quick else TURNS)
    console = Console(width=options.width)
    figures: list[Figure] = []
    with stage() as ready:
        on = {**machine(), "a commit": f"{ready.commit_ms():.2f} ms"}
        for name in options.names or ROWS:
            console.print(f"{name} …", style="dim")
            figures += ROWS[name](ready, Scale(turns, options.quick))
            # After each row, so that what was measured is not lost.
            options.out.mkdir(parents=True, exist_ok=True)
            told = json.dumps(as_json(figures, on), indent=1, ensure_ascii=False)
            (options.out / "bench.json").write_text(told + "\n")
            (options.out / "bench.md").write_text(as_markdown(figures, on))
            (options.out / "bench.svg").write_text(chart(figures))
    show(figures, on, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        type=_row,
        help=f"some of {', '.join(ROWS)}; without, all of them",
    )
    parser.add_argument(
        "--quick", action="store_true", help="once, with little: does it work?"
    )
    parser.add_argument("--turns", type=int, help=f"how often; {TURNS}")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="where JSON and SVG go"
    )
    parser.add_argument("--width", type=int, help="of the table; else the terminal's")
    return parser


def _row(name: str) -> str:
    if name not in ROWS:
        raise argparse.ArgumentTypeError(f"no such row; there are {', '.join(ROWS)}")
    return name


if __name__ == "__main__":
    raise SystemExit(main())
