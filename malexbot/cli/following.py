"""Jobs that a command has made, followed until the daemon has done them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from malexbot.cli.kept import is_followed
from malexbot.errors import MalexbotError, Transient

if TYPE_CHECKING:
    from malexbot.storage.backlog import JobView
    from malexbot.storage.database import Database

NOBODY = "no daemon is active: it is done once one runs (systemctl start malexbot)"
# How often it is looked how far the daemon is.
LOOK_S = 0.5
# A daemon that is followed by another one, or started again, is back by then.
ALONE_S = 15.0

Show = Callable[[str], object]


class Unheard(Transient):
    """Nobody is there to do it; it stays in the queue."""

    def __init__(self, job_id: int) -> None:
        super().__init__(
            f"no daemon is active: the order (job {job_id}) waits in the queue until"
            " one runs: systemctl start malexbot"
        )


def follow(database: Database, job_id: int, show: Show) -> JobView:
    """Look at the job until it has ended; raises once nobody is there to do it.

    That is at once, if there was nobody from the beginning.
    """
    pause, heard_at = threading.Event(), -math.inf
    while (job := look(database, job_id)).finished_at is None:
        if is_followed(database):
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > ALONE_S:
            raise Unheard(job_id)
        show(job.reason or "waits for its turn")
        pause.wait(LOOK_S)
    return job


def look(database: Database, job_id: int) -> JobView:
    from malexbot.storage.backlog import Backlog

    job = Backlog(database).show(job_id)
    if job is None:
        raise MalexbotError(f"job {job_id} is gone: it was finished long ago")
    return job


def remind(database: Database) -> None:
    """Say so if nobody is there to do what was ordered."""
    if not is_followed(database):
        click.echo(NOBODY, err=True)
