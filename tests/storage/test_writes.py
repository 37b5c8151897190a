"""The end of a job with all that it writes: once, wherever it is cut off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.errors import Transient
from malexbot.ports import (
    Conflict,
    Effect,
    GiveBack,
    Grant,
    Job,
    LeaseLost,
    PostKnown,
    Put,
    Write,
)
from malexbot.storage.database import Database
from malexbot.storage.failures import DatabaseUnavailable
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.statement import Statement
from tests.storage.conftest import Look, until
from tests.storage.interacting import RealWorld, begin, do, grant, jobs_on, said

LEASE_S = 60.0


class Lossy:
    """A database whose line breaks as a plan says: before it is asked, or after."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plan: list[str] = []
        self.said: list[list[str]] = []

    def fenced_at_once(
        self,
        epoch: int,
        statements: Sequence[Statement],
        terms: Mapping[str, object],
        *,
        is_lasting: bool = True,
    ) -> list[Any]:
        trouble = self.plan.pop(0) if self.plan else ""
        if trouble == "before":
            raise DatabaseUnavailable("cut")
        self.said.append([statement.name for statement in statements])
        rows = self._database.fenced_at_once(
            epoch, statements, terms, is_lasting=is_lasting
        )
        if trouble == "after":
            raise DatabaseUnavailable("cut")
        return rows


@pytest.fixture
def lossy(database: Database) -> Lossy:
    return Lossy(database)


@pytest.fixture
def jobs(lossy: Lossy, leadership: Leadership) -> DatabaseJobs:
    return jobs_on(lossy, leadership.epoch)  # type: ignore[arg-type]


@pytest.fixture
def real(
    database: Database, journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> RealWorld:
    return RealWorld(database, journal, jobs, look)


class End:
    """A run that was set off by a button, and all that its end can have."""

    def __init__(self, real: RealWorld) -> None:
        self.pressed, self.next = grant(uses=2), grant()
        do(real, said(self.pressed))
        assert real.grants.take(self.pressed.ref, event_id="e1")
        assert real.grants.take(self.pressed.ref, event_id="e2")
        self.job = begin(real)
        self.effects = [said(self.next, target=f"to-{self.job.id}"), said()]
        self.writes: list[Write] = [
            Put("rota", "k", self.job.id, real.store.read("rota", "k").version),
            Put("rota", "blind", self.job.id),
            GiveBack(self.pressed.ref, "e1"),
            PostKnown((self.pressed.ref,), "post1"),
        ]

    def of(self, jobs: DatabaseJobs) -> Job | None:
        return jobs.finish(self.job, self.effects, writes=self.writes, lease_s=LEASE_S)

    def seen(self, real: RealWorld) -> tuple[object, ...]:
        pressed = real.grants.look(self.pressed.ref)
        assert pressed
        return (
            real.grants.look(self.next.ref) is not None,
            real.store.read("rota", "k").value == self.job.id,
            real.store.read("rota", "blind").value == self.job.id,
            pressed.uses_left,
            pressed.post_id,
        )


NOTHING = (False, False, False, 0, "")
ALL = (True, True, True, 1, "post1")


def until_heard(finish: Callable[[], Job | None]) -> Job | None:
    """As the runner does it."""
    while True:
        try:
            return finish()
        except LeaseLost:
            return None
        except Conflict:
            raise
        except Transient:
            continue


def test_a_plain_end_says_no_more_than_it_did(real: RealWorld, lossy: Lossy) -> None:
    plain, sending = begin(real), begin(real)
    lossy.said.clear()
    real.jobs.finish(plain, [])
    real.jobs.finish(sending, [said()])
    assert lossy.said == [["end_job"], ["lock_lanes", "finish_job"]]


def test_all_of_it_is_one_round_trip(
    real: RealWorld, jobs: DatabaseJobs, lossy: Lossy
) -> None:
    end = End(real)
    assert end.seen(real) == NOTHING
    lossy.said.clear()
    begun = end.of(jobs)
    assert begun and begun.name == end.effects[0].target
    assert end.seen(real) == ALL
    assert len(lossy.said) == 1


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(st.sampled_from(["before", "after", ""]), max_size=6))
def test_an_end_that_is_not_heard_is_repeated_and_happens_once(
    real: RealWorld, jobs: DatabaseJobs, lossy: Lossy, look: Look, plan: list[str]
) -> None:
    lossy.plan = []
    end = End(real)
    lossy.plan = list(plan)
    begun = until_heard(lambda: end.of(jobs))
    lossy.plan = []
    assert end.seen(real) == ALL
    (made,) = look(
        "SELECT array_agg(number ORDER BY number) FROM jobs WHERE parent = %s",
        end.job.id,
    )
    assert made == ([0, 1],)
    if begun is None:  # it was not heard twice: the lease ends, and it is found
        look("UPDATE jobs SET due_at = now() WHERE state = 'leased'")
        target = end.effects[0].target
        claimed = jobs.claim(kinds=["chat.post"], limit=99, lease_s=LEASE_S)
        (begun,) = [job for job in claimed if job.name == target]
    jobs.finish(begun, [])


def test_who_was_not_heard_is_never_told_of_a_conflict(
    real: RealWorld, jobs: DatabaseJobs, lossy: Lossy
) -> None:
    """Others may have written by then what it has read: it was there before them."""
    end = End(real)
    lossy.plan = ["after"]
    with pytest.raises(DatabaseUnavailable):
        end.of(jobs)
    do(real, writes=[Put("rota", "k", "another")])
    begun = end.of(jobs)
    assert begun and begun.attempts == 2
    assert real.store.read("rota", "k").value == "another"


# Where an end can be held up, and dies.
KILL_POINTS = {
    "lanes": "SELECT pg_advisory_xact_lock(hashtextextended('lane mattermost:c1', 0))",
    "space": "SELECT pg_advisory_xact_lock(hashtextextended('store rota', 0))",
    "job": "SELECT FROM jobs WHERE id = %(job_id)s FOR UPDATE",
    "value": "SELECT FROM store WHERE key = 'blind' FOR UPDATE",
    "pressed": "SELECT FROM grants WHERE ref = %(pressed)s FOR UPDATE",
    "granted": "INSERT INTO grants SELECT (json_populate_record(g,"
    " json_build_object('ref', %(next)s::text))).* FROM grants g LIMIT 1",
}


@pytest.mark.parametrize("point", KILL_POINTS)
def test_an_end_that_dies_in_the_midst_of_it_has_written_nothing(
    real: RealWorld, jobs: DatabaseJobs, database: Database, look: Look, point: str
) -> None:
    do(real, writes=[Put("rota", "blind", "before")])
    end = End(real)
    errors: list[Exception] = []

    def run() -> None:
        try:
            end.of(jobs)
        except Transient as error:
            errors.append(error)

    terms = {"job_id": end.job.id, "pressed": end.pressed.ref, "next": end.next.ref}
    held_up = "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    thread = threading.Thread(target=run)
    try:
        with database.transaction() as cursor:
            cursor.execute(KILL_POINTS[point], terms)
            thread.start()
            until(lambda: look(f"SELECT 1 FROM pg_stat_activity {held_up}"))
            look(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {held_up}")
            thread.join()
            raise InterruptedError
    except InterruptedError:
        pass
    assert errors and not isinstance(errors[0], Conflict)
    assert end.seen(real) == NOTHING
    assert look("SELECT state FROM jobs WHERE id = %s", end.job.id) == [("leased",)]
    assert end.of(jobs)
    assert end.seen(real) == ALL


def test_a_daemon_whose_turn_is_over_writes_nothing(
    real: RealWorld, jobs: DatabaseJobs, look: Look
) -> None:
    end = End(real)
    look("UPDATE daemon SET epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        end.of(jobs)
    assert end.seen(real) == NOTHING


def test_who_runs_it_anew_finds_what_it_took_and_writes_once(
    real: RealWorld, jobs: DatabaseJobs, look: Look
) -> None:
    """The first one was killed between its press and its end."""
    pressed = grant()
    do(real, said(pressed))
    killed = begin(real)
    assert killed.event
    assert real.grants.take(pressed.ref, event_id=killed.event.event_id)
    look("UPDATE jobs SET due_at = now() WHERE state = 'leased'")
    (anew,) = jobs.claim(kinds=["run"], limit=1, lease_s=LEASE_S)
    assert anew.event and anew.event.event_id == killed.event.event_id
    assert real.grants.take(pressed.ref, event_id=anew.event.event_id)
    effects: list[Effect] = [said(grant())]
    puts: list[Write] = [Put("rota", "count", 1, 0)]
    with pytest.raises(LeaseLost):
        jobs.finish(killed, effects, writes=puts)
    jobs.finish(anew, effects, writes=puts)
    assert real.store.read("rota", "count").value == 1
    assert look("SELECT count(*) FROM jobs WHERE parent = %s", anew.id) == [(1,)]


def test_many_grants_and_values_are_no_matter(real: RealWorld, look: Look) -> None:
    grants: list[Grant] = [grant(choice="c") for _ in range(100)]
    puts = [Put("rota", f"k{n}", n, 0) for n in range(2000)]
    do(real, said(*grants), writes=puts)
    assert look("SELECT count(*) FROM grants") == [(100,)]
    assert look("SELECT count(*) FROM store") == [(2000,)]
