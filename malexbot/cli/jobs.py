"""`malexbot jobs`: what is to be done, what could not be done, and what to do then."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from malexbot.cli.following import remind
from malexbot.cli.job_lines import MEANINGS, as_json, described, summary, table
from malexbot.cli.kept import kept
from malexbot.cli.options import InOrder, config_option, json_option
from malexbot.config.load import load
from malexbot.errors import MalexbotError
from malexbot.ports import JobState

if TYPE_CHECKING:
    from malexbot.storage.backlog import Backlog
    from malexbot.storage.database import Database

STATES: tuple[JobState, ...] = get_args(JobState)
# What nobody has to look at is shown only when it is asked for.
OPEN: tuple[JobState, ...] = ("ready", "leased", "dead", "expired")


@click.group(cls=InOrder)
def command() -> None:
    """Show what is to be done and what failed, and do it again.

    A job is one thing to do: run a processor on an event, send one message, read
    what was missed. It is ready, leased (being done), done, dead (could not be
    done), expired (too old to be done) or dropped.

    \b
    malexbot jobs list --state dead
    malexbot jobs retry --all-dead
    """


of_option = click.option(
    "--of",
    default="",
    metavar="WHAT",
    help="Only those of a processor, a target or a kind: answer, redis:message, http.",
)
ids_argument = click.argument("ids", type=int, nargs=-1, metavar="ID...")


@command.command("list")
@config_option
@click.option(
    "--state",
    "states",
    type=click.Choice((*STATES, "all")),
    multiple=True,
    metavar="STATE",
    help="Only jobs that are ready, leased, done, dead, expired or dropped, or all; may"
    " be given again.  [default: all but done and dropped]",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    metavar="N",
    show_default=True,
    help="At most so many, the newest.",
)
@of_option
@json_option("a list of objects")
def list_jobs(
    config_file: Path, states: Sequence[str], limit: int, of: str, is_json: bool
) -> None:
    """List jobs, the newest first.

    \b
    malexbot jobs list --state dead
    malexbot jobs list --of http:moderation
    malexbot jobs list --state all --limit 1000 --json | jq '.[].reason'
    """
    wanted = STATES if "all" in states else [s for s in STATES if s in states] or OPEN
    with opened(config_file) as (jobs, _):
        found, counts = jobs.list(*wanted, limit=limit, of=of), jobs.count()
    if is_json:
        click.echo(json.dumps([as_json(job) for job in found], indent=2))
        return
    is_watched = sys.stdout.isatty()
    if found:
        width = shutil.get_terminal_size().columns if is_watched else None
        for line in table(found, width):
            click.echo(line)
    if is_watched or not found:
        click.echo(summary(found, counts, wanted), err=not is_watched)


@command.command()
@config_option
@click.argument("job_id", type=int, metavar="ID")
@json_option("one object")
def show(config_file: Path, job_id: int, is_json: bool) -> None:
    """Show all of one job: what it does, on what, and what became of it.

    \b
    malexbot jobs show 42
    """
    with opened(config_file) as (jobs, _):
        job = jobs.show(job_id)
    if job is None:
        raise MalexbotError(f"there is no job {job_id}")
    if is_json:
        click.echo(json.dumps(as_json(job), indent=2, ensure_ascii=False))
        return
    for line in described(job):
        click.echo(line)


@command.command()
@config_option
@ids_argument
@click.option("--all-dead", is_flag=True, help="All that could not be done.")
@click.option("--all-expired", is_flag=True, help="All that were too old.")
@of_option
def retry(
    config_file: Path, ids: Sequence[int], all_dead: bool, all_expired: bool, of: str
) -> None:
    """Do jobs again that are dead, expired or dropped.

    First remove the reason that `malexbot jobs show ID` tells. They are done now,
    however old they are.

    \b
    malexbot jobs retry 42 43
    malexbot jobs retry --all-dead
    malexbot jobs retry --all-expired --of redis:message
    """
    every: list[Literal["dead", "expired"]] = ["dead"] if all_dead else []
    if all_expired:
        every.append("expired")
    if bool(ids) == bool(every) or (ids and of):
        raise click.UsageError("Give the ids of jobs, or --all-dead or --all-expired.")
    with opened(config_file) as (jobs, database):
        for state in every:
            done = jobs.retry_all(state, of=of)
            click.echo(f"{state} jobs that are ready again: {done}")
        if ids:
            each(ids, jobs, jobs.retry, "is ready again")
        remind(database)


@command.command()
@config_option
@click.argument("ids", type=int, nargs=-1, required=True, metavar="ID...")
def drop(config_file: Path, ids: Sequence[int]) -> None:
    """Give jobs up that are not done: they are not done any more.

    What a worker is sending at this moment may still arrive. A dropped job can be
    retried.

    \b
    malexbot jobs drop 42 43
    """
    with opened(config_file) as (jobs, _):
        each(ids, jobs, jobs.drop, "is dropped")


@contextmanager
def opened(config_file: Path) -> Iterator[tuple[Backlog, Database]]:
    """The jobs, and the database that they are in."""
    from malexbot.storage.backlog import Backlog

    with kept(load(config_file)) as database:
        yield Backlog(database), database


def each(
    ids: Sequence[int], jobs: Backlog, change: Callable[[int], bool], done: str
) -> None:
    """Change one after the other; those that cannot be are told at the end."""
    refused = []
    for job_id in ids:
        if change(job_id):
            click.echo(f"job {job_id} {done}")
        elif (job := jobs.show(job_id)) is None:
            refused.append(f"there is no job {job_id}")
        else:
            refused.append(f"job {job_id} {MEANINGS[job.state]}")
    if refused:
        raise MalexbotError("; ".join(refused))
