"""`malexbot export`: the archive, as a stream that other programs read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import click
import orjson

from malexbot.cli.database import whole
from malexbot.cli.kept import kept, one_channel
from malexbot.cli.moments import Moment
from malexbot.cli.options import config_option
from malexbot.config.load import load
from malexbot.errors import Permanent

# How often who waits is told how far it is.
TOLD_EVERY = 1000

Tell = Callable[[int], object]


@click.command()
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl"]),
    default="jsonl",
    show_default=True,
    help="jsonl: a JSON object a line, under Mattermost's names.",
)
@click.option(
    "--channel",
    metavar="CHANNEL",
    help="Only this one: its id, name, or team/name.",
)
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help="Only posts written then or later: 2026-01-31, 2026-01-31T18:00Z, or 7d.",
)
@click.option(
    "--until", type=Moment(), metavar="TIME", help="Only posts written before then."
)
@click.option(
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, whole or not at all, instead of standard output.",
)
def command(
    config_file: Path,
    form: str,
    channel: str | None,
    since: int | None,
    until: int | None,
    file: Path | None,
) -> None:
    """Write the kept posts, channel by channel, the oldest first.

    Each has its latest text; a deleted one has its delete_at. It is one moment of
    the archive, however long it takes, and the daemon may go on running.

    \b
    malexbot export --channel town-square --since 7d | jq -r .message
    malexbot export --until 2026-01-01 --output 2025.jsonl
    """
    from malexbot.storage.archive import Archive

    with kept(load(config_file)) as database:
        terms: dict[str, Any] = {"since": since, "until": until}
        if channel is not None:
            terms["channel_id"] = one_channel(database, channel).id
        given = {name: value for name, value in terms.items() if value is not None}
        with closing(Archive(database).export(**given)) as rows:
            if file is None:
                to_stdout(rows)
                return
            with whole(file) as sink:
                count = to_file(rows, sink)
    size = file.stat().st_size
    click.echo(f"{count} posts in {file} ({size / 1e6:.1f} MB)")


def to_file(rows: Iterable[Mapping[str, Any]], sink: IO[bytes]) -> int:
    with progress(sys.stderr.isatty()) as tell:
        return write(rows, sink, tell)


def to_stdout(rows: Iterable[Mapping[str, Any]]) -> None:
    """Who closes the pipe has seen enough; that is no failure."""
    sink = sys.stdout.buffer
    # A bar between the rows would help nobody.
    is_shown = sys.stderr.isatty() and not sys.stdout.isatty()
    try:
        with progress(is_shown) as tell:
            write(rows, sink, tell)
        sink.flush()
    except BrokenPipeError:
        _let_go()
    except OSError as error:
        _let_go()
        raise Permanent(f"cannot write: {error.strerror}") from error


def write(rows: Iterable[Mapping[str, Any]], sink: IO[bytes], tell: Tell) -> int:
    """A row a line, as they come; returns how many there were."""
    count = 0
    for row in rows:
        sink.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        count += 1
        if count % TOLD_EVERY == 0:
            tell(count)
    return count


@contextmanager
def progress(is_shown: bool) -> Iterator[Tell]:
    """How many posts are written, on stderr, for as long as it takes."""
    if not is_shown:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} posts"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as p:
        task = p.add_task("export", total=None)
        yield lambda count: p.update(task, completed=count)


def _let_go() -> None:
    """What is still in the buffer goes nowhere, or the exit would fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
