"""The two plays of the demo, each from its curtain to its end."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from malexbot.cli.demo.conversation import KEEPS
from malexbot.cli.demo.ending import Ended, Ending
from malexbot.cli.demo.live import Live
from malexbot.cli.demo.script import PATIENCE_S, Script
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller
from malexbot.cli.demo.verdict import table
from malexbot.runtime.deadline import Deadline


def play_live(folder: Path, ending: Ending, seconds: float | None) -> None:
    """Until a person ends it, or for so many seconds."""
    teller = new_teller()
    teller.title("malexbot's demo")
    teller.text()
    try:
        with set_up(teller, Stage(folder, ending)) as stage:
            Live(
                stage, teller, Deadline(math.inf if seconds is None else seconds)
            ).run()
    except Ended:
        pass
    teller.text()
    teller.text("The demo has ended.")


def play_script(
    folder: Path,
    ending: Ending,
    *,
    keeps: str = KEEPS,
    patience_s: float = PATIENCE_S,
) -> bool:
    """Yes: the archive holds what it should, and each answer was sent once."""
    teller = new_teller()
    teller.title("malexbot's demo: a fixed conversation")
    teller.text()
    try:
        with set_up(teller, Stage(folder, ending, keeps=keeps)) as stage:
            findings = Script(stage, teller, patience_s=patience_s).play()
    except Ended:
        teller.text("The script was cut short.")
        return False
    teller.text()
    teller.show(table(findings))
    wrong = sum(not each.agrees for each in findings)
    teller.text()
    if wrong:
        teller.title(f"{wrong} of {len(findings)} are not as expected.")
    else:
        teller.title(f"All {len(findings)} are as expected.")
    return not wrong


@contextmanager
def set_up(teller: Teller, stage: Stage) -> Iterator[Stage]:
    """The stage while everything on it runs, but malexbot."""
    with ExitStack() as stack:
        with teller.step("A Mattermost and a PostgreSQL start, for this demo alone"):
            stack.enter_context(stage)
        yield stage


def new_teller() -> Teller:
    """On standard output, which may be a terminal that knows few signs."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Teller(Console(markup=False, emoji=False, highlight=False))
