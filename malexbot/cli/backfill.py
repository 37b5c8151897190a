"""`malexbot backfill`: has the daemon read now, or read again, what was said."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from malexbot.cli.following import Show, Unheard, follow, look, remind
from malexbot.cli.job_lines import as_json
from malexbot.cli.kept import kept, one_channel
from malexbot.cli.moments import readable_ms
from malexbot.cli.options import (
    channel_option,
    config_option,
    json_option,
    since_option,
    wait_option,
)
from malexbot.config.load import load
from malexbot.errors import EXIT_INTERRUPTED, MalexbotError, Permanent, Transient

if TYPE_CHECKING:
    from malexbot.storage.backlog import JobView
    from malexbot.storage.database import Database

MATTERMOST = "mattermost"
# Where nobody watches, how often a phase that lasts is told.
TOLD_EVERY_S = 10.0

_ID = re.compile(r"[a-z0-9]{26}")
_FAR = re.compile(r"(.*): (\d+) of (\d+) channels, (\d+) posts")


@click.command()
@config_option
@channel_option
@since_option(help="Read all again that was written then or later")
@wait_option(True)
@json_option("the job as one object, as of malexbot jobs show --json")
@click.pass_context
def command(
    ctx: click.Context,
    config_file: Path,
    channel: str | None,
    since: int | None,
    is_waiting: bool,
    is_json: bool,
) -> None:
    """Have the daemon read what was missed, now.

    Without --since it reads what is new or was changed. The daemon does so by itself
    at each start, after each broken connection and every backfill.every. What is read
    twice is archived once. The order is a job: it outlives this command, and the
    daemon.

    \b
    malexbot backfill
    malexbot backfill --channel town-square --since 2026-01-31
    """
    from malexbot.storage.backlog import Backlog

    config = load(config_file)
    if config.mattermost is None:
        raise Permanent(f"{config_file} has no mattermost block: nothing can be read")
    with kept(config) as database:
        where, name = place(database, channel)
        job_id = Backlog(database).order(
            "backfill", MATTERMOST, {"channel": where, "since_ms": since}
        )
        back_to = f", back to {readable_ms(since)}" if since is not None else ""
        click.echo(f"job {job_id}: read {name}{back_to}", err=True)
        if is_waiting:
            job = wait_for(ctx, database, job_id)
        else:
            job = look(database, job_id)
            remind(database)
    if is_json:
        click.echo(json.dumps(as_json(job), ensure_ascii=False))
    elif job.finished_at is not None:
        click.echo(f"read: {job.reason}")


def place(database: Database, channel: str | None) -> tuple[str | None, str]:
    """The id of the channel, and how to call it; the daemon may know more ids."""
    if channel is None:
        return None, "all channels"
    try:
        known = one_channel(database, channel)
    except Permanent:
        if not _ID.fullmatch(channel):
            raise
        return channel, f"the channel {channel}"
    return known.id, str(known)


def wait_for(ctx: click.Context, database: Database, job_id: int) -> JobView:
    """Show how far it is until it is done; who leaves does not end it."""
    try:
        with shown(sys.stderr.isatty()) as show:
            job = follow(database, job_id, show)
    except KeyboardInterrupt:
        told = (
            f"\nthe daemon goes on with it; how far it is: malexbot jobs show {job_id}"
        )
        click.echo(told, err=True)
        ctx.exit(EXIT_INTERRUPTED)
    except Unheard:
        raise
    except Transient as error:
        raise Transient(f"{error}; job {job_id} waits in the queue") from error
    if job.state != "done":
        raise MalexbotError(f"job {job_id} is {job.state}: {job.reason}")
    return job


@contextmanager
def shown(is_watched: bool) -> Iterator[Show]:
    """How far it is: a bar for who watches, else a line now and then."""
    if not is_watched:
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as p:
        task = p.add_task("", total=None)

        def show(told: str) -> None:
            far = _FAR.fullmatch(told)
            done, total = (int(far[2]), int(far[3])) if far else (0, None)
            p.update(task, description=told, completed=done, total=total)

        yield show


class Lines:
    """Tells a new phase at once, and one that lasts now and then."""

    def __init__(self) -> None:
        self._phase, self._told, self._told_at = "", "", 0.0

    def __call__(self, told: str) -> None:
        far = _FAR.fullmatch(told)
        phase, now = far[1] if far else told, time.monotonic()
        is_due = phase != self._phase or now - self._told_at >= TOLD_EVERY_S
        if is_due and told != self._told:
            self._phase, self._told, self._told_at = phase, told, now
            click.echo(f"  {told}", err=True)
