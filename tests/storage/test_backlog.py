"""The jobs as a person sees them, and handles them."""

from __future__ import annotations

import pytest

from malexbot.ports import Effect, LeaseLost
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, post, posted


@pytest.fixture
def backlog(database: Database) -> Backlog:
    return Backlog(database)


@pytest.fixture
def jobs(
    database: Database, leadership: Leadership, journal: DatabaseJournal
) -> DatabaseJobs:
    """Two jobs of a lane; the first is leased to be dead."""
    journal.write([acted_on(posted(post("p1")), posted(post("p2")))])
    made = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    (first,) = made.claim(kinds=["run"], limit=9, lease_s=60)
    made.give_up(first, state="dead", reason="no such channel")
    return made


def test_jobs_are_listed_newest_first(jobs: DatabaseJobs, backlog: Backlog) -> None:
    assert [job.event_id for job in backlog.list()] == ["p2", "p1"]
    assert [job.event_id for job in backlog.list(limit=1)] == ["p2"]
    (dead,) = backlog.list("dead", "expired")
    assert (dead.event_id, dead.reason, dead.attempts) == ("p1", "no such channel", 1)


def test_a_job_is_shown_with_all_it_carries(
    jobs: DatabaseJobs, backlog: Backlog
) -> None:
    (second,) = jobs.claim(kinds=["run"], limit=9, lease_s=60)
    jobs.finish(second, [Effect("chat.post", "mattermost:x", {"text": "hi"})])
    send = backlog.list("ready")[0]
    assert (send.parent, send.kind, send.payload) == (
        second.id,
        "chat.post",
        '{"text":"hi"}',
    )
    assert backlog.show(send.id) == send
    shown = backlog.show(second.id)
    assert shown is not None
    assert '"hello"' in (shown.event or "")
    assert backlog.show(10**6) is None


def test_a_dead_job_is_retried_by_hand(jobs: DatabaseJobs, backlog: Backlog) -> None:
    """Beside its lane, which went on without it."""
    (dead,) = backlog.list("dead")
    assert backlog.retry(dead.id)
    claimed = jobs.claim(kinds=["run"], limit=9, lease_s=60)
    assert [job.event.event_id for job in claimed if job.event] == ["p1", "p2"]
    assert [job.payload for job in claimed] == [{"by_hand": True}, {}]
    assert not backlog.retry(dead.id)
    jobs.finish(claimed[0], [])
    assert not backlog.retry(dead.id)


def test_all_dead_jobs_are_retried_at_once(
    jobs: DatabaseJobs, backlog: Backlog
) -> None:
    assert backlog.retry_all("dead") == 1
    assert backlog.count()["dead"] == 0
    assert backlog.count()["ready"] == 2
    assert backlog.retry_all("dead") == 0


def test_an_order_is_a_job_that_waits_for_no_lane(
    jobs: DatabaseJobs, backlog: Backlog
) -> None:
    first = backlog.order("backfill", "mattermost", {"channel": "a"})
    second = backlog.order("backfill", "mattermost", {"channel": "b"})
    claimed = jobs.claim(kinds=["backfill"], limit=9, lease_s=60)
    assert [(job.id, job.payload) for job in claimed] == [
        (first, {"channel": "a"}),
        (second, {"channel": "b"}),
    ]


def test_the_same_order_is_not_given_twice(
    jobs: DatabaseJobs, backlog: Backlog
) -> None:
    order = ("backfill", "mattermost", {"channel": "a", "since_ms": 5})
    first = backlog.order(*order)
    assert backlog.order(*order) == first
    (claimed,) = jobs.claim(kinds=["backfill"], limit=9, lease_s=60)
    jobs.finish(claimed, [])
    assert backlog.order(*order) != first


def test_what_was_dropped_before_it_began_can_be_retried(
    jobs: DatabaseJobs, backlog: Backlog
) -> None:
    (ready,) = backlog.list("ready")
    assert backlog.drop(ready.id)
    assert jobs.claim(kinds=["run"], limit=9, lease_s=60) == []
    assert backlog.retry(ready.id)
    assert len(jobs.claim(kinds=["run"], limit=9, lease_s=60)) == 1


def test_who_runs_a_dropped_job_loses_it(jobs: DatabaseJobs, backlog: Backlog) -> None:
    (running,) = jobs.claim(kinds=["run"], limit=9, lease_s=60)
    assert backlog.drop(running.id)
    assert not backlog.drop(running.id)
    with pytest.raises(LeaseLost):
        jobs.finish(running, [Effect("chat.post", "x", {})])
    assert backlog.count()["ready"] == 0


def test_jobs_are_counted_by_state(
    jobs: DatabaseJobs, backlog: Backlog, look: Look
) -> None:
    assert backlog.count() == {
        "ready": 1,
        "leased": 0,
        "done": 0,
        "dead": 1,
        "expired": 0,
        "dropped": 0,
    }


def test_what_waits_is_counted_by_kind(jobs: DatabaseJobs, backlog: Backlog) -> None:
    assert backlog.waiting(["run", "redis"]) == {"run": 1, "redis": 0}


@pytest.mark.parametrize(
    ("of", "found"),
    [
        ("redis", ["redis:b", "redis:a (buttons)", "redis:a"]),
        ("redis:a", ["redis:a (buttons)", "redis:a"]),
        ("http:a", []),
        ("response", ["response"]),
    ],
)
def test_those_of_one_target_are_listed_and_retried(
    jobs: DatabaseJobs, backlog: Backlog, look: Look, of: str, found: list[str]
) -> None:
    for name in ("redis:a", "redis:a (buttons)", "redis:b"):
        look(
            "INSERT INTO jobs (kind, name, lane, state, finished_at)"
            " VALUES ('redis', %s, 'a', 'dead', now())",
            name,
        )
    assert [job.name for job in backlog.list("dead", of=of)] == found
    assert backlog.retry_all("expired", of=of) == 0
    assert backlog.retry_all("dead", of=of) == len(found)
    assert backlog.count()["dead"] == 4 - len(found)
