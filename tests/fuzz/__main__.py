"""`python -m tests.fuzz TARGET [--runs N | --seconds S] [INPUT…]`.

Feeds a target of `tests.fuzz.targets` with ever new inputs, made from its corpus by
what they reach; or with the inputs that are named, each once. The first one that
breaks it is told and kept, and the exit code is not 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.targets import TARGETS, build

FOLDER = Path(__file__).parent
CORPUS, WORDS = FOLDER / "corpus", FOLDER / "words"
# One input may take so long, on a machine that has other things to do as well.
MOST_S = 30
MOST_MB = 1024
LONGEST_BYTES = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.inputs:
        return _replay(options.target, options.inputs)
    return _fuzz(options)


def _replay(target: str, files: Sequence[Path]) -> int:
    with tempfile.TemporaryDirectory(prefix="malexbot-fuzz-") as folder:
        fuzz = build(target, Path(folder))
        for file in files:
            fuzz(file.read_bytes())
    return 0


def _fuzz(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="malexbot-fuzz-") as folder:
        found, work = Path(folder, "found"), Path(folder, "work")
        found.mkdir()
        work.mkdir()
        command = [sys.executable, "-m", "tests.fuzz.run", options.target, str(work)]
        # What is found goes to the first folder; the second is only read.
        corpus = [str(found), str(CORPUS / options.target)]
        done = subprocess.run(
            [*command, *_orders(options), *corpus], stdin=subprocess.DEVNULL
        )
    return done.returncode


def _orders(options: argparse.Namespace) -> list[str]:
    """Those of libFuzzer."""
    orders = [
        f"-max_total_time={options.seconds}",
        f"-runs={options.runs or -1}",
        f"-timeout={MOST_S}",
        f"-rss_limit_mb={MOST_MB}",
        f"-max_len={LONGEST_BYTES}",
        f"-artifact_prefix={options.out}/",
        f"-dict={WORDS / options.target}",
        "-print_final_stats=1",
    ]
    if options.seed:
        orders.append(f"-seed={options.seed}")
    return orders


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("inputs", nargs="*", type=Path, metavar="INPUT")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--runs", type=int, default=0, help="so many inputs")
    length.add_argument("--seconds", type=int, default=0, help="for so long")
    parser.add_argument("--seed", type=int, default=0, help="the same inputs again")
    parser.add_argument(
        "--out", type=Path, default=Path.cwd(), help="where what breaks it is kept"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
