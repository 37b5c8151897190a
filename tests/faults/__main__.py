"""`python -m tests.faults --minutes N --seed S`: lets things go wrong at random."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from malexbot.errors import MalexbotError
from malexbot.storage.database import Database
from tests.faults.ground import Ground, grounded
from tests.faults.hasty import PROGRAM
from tests.faults.outcome import COUNTED, Outcome
from tests.faults.plan import KINDS, by_seed
from tests.faults.run import play

# In a mount namespace of our own the small disks go with us, however we end.
OWN_MOUNTS = "MALEXBOT_OWN_MOUNTS"
_UNSHARE = ("unshare", "--mount")
SHOWN = 5
TABLES = ("channels", "connections", "gaps", "jobs", "posts", "rejects")
# A small disk: for the empty server, and for what a minute of talk adds.
EMPTY_MB, MINUTE_MB = 256, 16


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    has_disks = _has_disks()
    console = Console(width=options.width, highlight=False)
    seed = options.seed
    console.print(f"--minutes {options.minutes:g} --seed {seed}", style="bold")
    if not has_disks:
        console.print("no disk is filled: that needs root, to mount small ones")
    plan = by_seed(seed, options.minutes * 60, is_root=has_disks)
    size = EMPTY_MB + round(MINUTE_MB * options.minutes) if has_disks else 0
    with grounded(PROGRAM, database_mb=size) as ground:
        outcome = play(ground, plan, seed, console.print)
        if not outcome.is_right:
            _keep(ground, options.logs, console)
    _show(outcome, console)
    return 0 if outcome.is_right else 1


def _show(outcome: Outcome, console: Console) -> None:
    table = Table(title="what went wrong")
    table.add_column("what")
    table.add_column("times", justify="right")
    for kind in KINDS:
        table.add_row(kind.name, str(outcome.done[kind.name]))
    console.print(table)
    table = Table(title="what came of it")
    table.add_column("what")
    table.add_column("how many", justify="right")
    for name, number in outcome.load.items():
        table.add_row(name, str(number))
    table.add_section()
    for name in COUNTED:
        table.add_row(name, str(len(outcome.wrong.get(name, []))))
    console.print(table)
    for name, which in outcome.wrong.items():
        for each in which[:SHOWN]:
            console.print(f"{name}: {each}", markup=False)


def _keep(ground: Ground, folder: Path, console: Console) -> None:
    """What it takes to find out why: the logs, the ledger, the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, log in enumerate(ground.logs):
        (folder / f"daemon-{number}.log").write_text(log)
    shutil.copy(ground.ledger_file, folder)
    with suppress(MalexbotError), Database(ground.postgres.dsn) as database:
        for table in TABLES:
            with (folder / f"{table}.csv").open("w") as file:
                with database.transaction() as cursor:
                    cursor.copy_expert(f"COPY {table} TO STDOUT CSV HEADER", file)
    console.print(f"the logs, the ledger and the tables are in {folder}")


def _has_disks() -> bool:
    """Yes: we may mount small disks; in a namespace that is gone when we are."""
    if os.geteuid() != 0:
        return False
    if os.environ.get(OWN_MOUNTS):
        return True
    probe = subprocess.run((*_UNSHARE, "true"), capture_output=True, check=False)
    if probe.returncode:
        return False
    again = (*_UNSHARE, sys.executable, "-m", "tests.faults", *sys.argv[1:])
    os.execvpe(again[0], again, {**os.environ, OWN_MOUNTS: "1"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long; 2")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.SystemRandom().getrandbits(32),
        help="repeats a plan; another one each time",
    )
    parser.add_argument(
        "--logs",
        type=Path,
        default=Path(tempfile.gettempdir(), "malexbot-faults"),
        help="where what is left of a run that failed goes",
    )
    parser.add_argument("--width", type=int, help="of the table; else the terminal's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
