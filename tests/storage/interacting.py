"""A queue with its grants and its store: the real one, or the one in memory.

What a test says of both is what the tests of the pipeline may rely on.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Protocol

from malexbot.events import Event
from malexbot.ports import Effect, Grant, Grants, Job, Jobs, Store, Write
from malexbot.storage.database import Database
from malexbot.storage.grants import DatabaseGrants
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.store import DatabaseStore
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, post, posted
from tests.storage.working import RUN
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs

_numbers = itertools.count()


def a_ref() -> str:
    return f"{next(_numbers):032x}"


def grant(**values: Any) -> Grant:
    """One that nobody has made before."""
    known: dict[str, Any] = {
        "ref": a_ref(),
        "kind": "button",
        "action": "rota.approve",
        "payload": {"stage": "two"},
        "expires_s": 3600.0,
    }
    return Grant(**{**known, **values})


def said(*grants: Grant, target: str = "mattermost:c1") -> Effect:
    return Effect("chat.post", target, {"message": "hi"}, grants=grants)


class World(Protocol):
    """What both have."""

    jobs: Jobs
    grants: Grants
    store: Store

    def happen(self, event: Event) -> None:
        """A processor acts on it."""

    def pass_time(self, seconds: float) -> None: ...

    def sends(self) -> int:
        """How many effects are jobs."""


class RealWorld:
    """On PostgreSQL."""

    def __init__(
        self, database: Database, journal: DatabaseJournal, jobs: Jobs, look: Look
    ) -> None:
        self.jobs = jobs
        self.grants: Grants = DatabaseGrants(database)
        self.store: Store = DatabaseStore(database)
        self._journal = journal
        self._look = look

    def happen(self, event: Event) -> None:
        self._journal.write([acted_on(event)])

    def pass_time(self, seconds: float) -> None:
        ago = f"- {seconds} * interval '1 second'"
        self._look(
            f"UPDATE grants SET made_at = made_at {ago}, expires_at = expires_at {ago}"
        )

    def sends(self) -> int:
        return int(self._look.one("SELECT count(*) FROM jobs WHERE parent > 0"))


class MemoryWorld:
    """In memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.memory = MemoryJobs(self.clock)
        self.jobs: Jobs = self.memory
        self.grants: Grants = self.memory.grants
        self.store: Store = self.memory.store

    def happen(self, event: Event) -> None:
        self.memory.offer(event, "response")

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    def sends(self) -> int:
        return sum(row.parent is not None for row in self.memory.rows.values())


def begin(world: World, **other: Any) -> Job:
    """A run of a processor, in a lane of its own."""
    name = f"e{next(_numbers)}"
    world.happen(posted(post(name, channel_id=name), **other))
    (job,) = world.jobs.claim(kinds=RUN, limit=1, lease_s=60)
    return job


def do(world: World, *effects: Effect, writes: Sequence[Write] = ()) -> None:
    """A run comes to its end with that."""
    world.jobs.finish(begin(world), effects, writes=writes)


def jobs_on(database: Database, epoch: int) -> DatabaseJobs:
    return DatabaseJobs(database, epoch=lambda: epoch)
