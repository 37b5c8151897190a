"""What became of an order: its permalinks, or why there are none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from malexbot.cli.following import follow, look, remind
from malexbot.cli.job_lines import MEANINGS, WAYS_OUT
from malexbot.cli.kept import server
from malexbot.errors import EXIT_INTERRUPTED, MalexbotError, Transient

if TYPE_CHECKING:
    from malexbot.cli.send.place import Place
    from malexbot.config.model import Config
    from malexbot.storage.backlog import JobView
    from malexbot.storage.database import Database
    from malexbot.storage.outbox import Order

# What a sent message leaves in its job.
_POST = re.compile(r"post ([a-z0-9]+)")


def tell(
    database: Database,
    order: Order,
    place: Place,
    config: Config,
    *,
    is_waiting: bool,
    is_json: bool,
) -> None:
    """The permalinks on standard output; all else beside it."""
    numbers = f"job{'s' * (len(order.parts) > 1)} {', '.join(map(str, order.parts))}"
    before = "sent there before under this key: " if order.is_repeat else ""
    click.echo(f"{before}{numbers}: to {place.name}", err=True)
    try:
        jobs = [_seen(database, id_, is_waiting) for id_ in order.parts]
    except KeyboardInterrupt:
        stays = f"\nit stays in the queue: {numbers} (malexbot jobs drop ID)"
        click.echo(stays, err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    site = server(config)
    if is_json:
        told = {"to": place.name, "is_repeat": order.is_repeat}
        click.echo(json.dumps(told | {"jobs": [_as_dict(job, site) for job in jobs]}))
    else:
        for link in filter(None, (_link(job, site) for job in jobs)):
            click.echo(link)
    _end(database, jobs)


def _seen(database: Database, job_id: int, is_waiting: bool) -> JobView:
    if not is_waiting:
        return look(database, job_id)
    said = {"", "waits for its turn"}

    def show(reason: str) -> None:
        if reason not in said:
            said.add(reason)
            click.echo(f"  not yet: {reason}", err=True)

    try:
        return follow(database, job_id, show)
    except Transient as error:
        raise Transient(f"{error}; do not send it again") from error


def _end(database: Database, jobs: list[JobView]) -> None:
    """Raise if it will not arrive; say who sends it if it has not yet."""
    for job in jobs:
        if job.finished_at is not None and job.state != "done":
            meaning = MEANINGS[job.state]
            reason = "" if job.reason in meaning else f": {job.reason}"
            way_out = WAYS_OUT[job.state].format(id=job.id)
            raise MalexbotError(f"job {job.id} {meaning}{reason}; {way_out}")
    if any(job.finished_at is None for job in jobs):
        remind(database)


def _link(job: JobView, site: str) -> str | None:
    found = _POST.match(job.reason) if job.state == "done" else None
    return f"{site}/_redirect/pl/{found[1]}" if found else None


def _as_dict(job: JobView, site: str) -> dict[str, Any]:
    told = {"id": job.id, "state": job.state, "reason": job.reason}
    return told | {"link": _link(job, site)}
