"""`malexbot demo`: a whole small world in one command, to watch and to talk in."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from malexbot.errors import EXIT_FAILED, MalexbotError


@click.command()
@click.option(
    "--script", "is_script", is_flag=True, help="Play a fixed conversation, and check."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything here: configuration, log, database.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    metavar="N",
    help="End by itself after so long.",
)
def command(is_script: bool, folder: Path | None, seconds: float | None) -> None:
    """Show malexbot at work, on this machine alone.

    A Mattermost, a PostgreSQL and malexbot run until Ctrl-C; you see what comes in,
    what is kept and what is answered, and can talk with it, here and on a page whose
    address is told. Nothing of yours is touched and nothing is left behind.

    --script plays a fixed conversation, with a cut line and a kill -9 in it, and
    compares what the archive should hold with what it holds. The exit code is 0
    only if they agree.

    \b
    malexbot demo
    malexbot demo --script
    """
    try:
        from malexbot.cli.demo.ending import Ending
        from malexbot.cli.demo.play import play_live, play_script
    except ModuleNotFoundError as error:
        raise MalexbotError(
            f"the demo needs {error.name}: pip install 'malexbot[demo]'"
        ) from error

    agrees = True
    with Ending() as ending, place(folder) as home:
        if is_script:
            agrees = play_script(home, ending)
        else:
            play_live(home, ending, seconds)
    if folder:
        click.echo(f"All of it is in {folder}: malexbot.yaml, malexbot.log, state.")
    sys.exit(0 if agrees else EXIT_FAILED)


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is gone in the end."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="malexbot-demo-") as name:
            yield Path(name)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_taken = any(folder.iterdir())
    except OSError as error:
        raise MalexbotError(f"cannot use {folder}: {error.strerror}") from error
    if is_taken:
        raise MalexbotError(f"{folder} is not empty; the demo wants a new folder")
    yield folder.resolve()
