"""Jobs right behind one in its lane go along with it, and are ended with it or not."""

from __future__ import annotations

import pytest

from malexbot.ports import Effect, End, Job, LeaseLost
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look
from tests.storage.working import claim, offer, pass_time

SENDS = ("send", "other")


@pytest.fixture
def head(journal: DatabaseJournal, jobs: DatabaseJobs) -> Job:
    """Ours, and four are behind it."""
    return begun(journal, jobs, *[Effect("send", "x", {"n": n}) for n in range(5)])


def begun(journal: DatabaseJournal, jobs: DatabaseJobs, *effects: Effect) -> Job:
    offer(journal, "a1")
    jobs.finish(claim(jobs)[0], effects)
    return next_of(jobs)[0]


def next_of(jobs: DatabaseJobs) -> list[Job]:
    return jobs.claim(kinds=SENDS, limit=9, lease_s=60)


def behind(jobs: DatabaseJobs, job: Job, most: int = 99, much: int = 999) -> list[int]:
    return numbers(jobs.behind(job, most=most, most_bytes=much))


def numbers(found: list[Job]) -> list[int]:
    return [job.payload["n"] for job in found]


def states(look: Look) -> list[tuple[str, int]]:
    return look("SELECT state, attempts FROM jobs WHERE kind <> 'run' ORDER BY id")


def test_those_behind_are_found_in_their_order(jobs: DatabaseJobs, head: Job) -> None:
    assert behind(jobs, head) == [1, 2, 3, 4]
    assert behind(jobs, head, most=2) == [1, 2]
    assert behind(jobs, head, most=0) == []
    # Each payload is {"n":1}.
    assert behind(jobs, head, much=16) == [1, 2]


def test_they_are_not_begun(jobs: DatabaseJobs, head: Job, look: Look) -> None:
    behind(jobs, head)
    assert states(look) == [("leased", 1), *[("ready", 0)] * 4]
    assert next_of(jobs) == []


def test_they_end_with_the_one_that_took_them_along(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    first, second, third, _ = jobs.behind(head, most=9, most_bytes=999)
    along = [End(first.id, "done", "a"), End(second.id, "dead", "no \0")]
    jobs.finish(head, [], "fine", along=along)
    told = "SELECT state, reason, attempts FROM jobs WHERE kind = 'send' ORDER BY id"
    assert look(told)[:4] == [
        ("done", "fine", 1),
        ("done", "a", 1),
        ("dead", "no \\0", 1),
        ("ready", "", 0),
    ]
    assert [job.id for job in next_of(jobs)] == [third.id]


def test_a_head_that_is_dead_ends_them_too(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    first, *_ = jobs.behind(head, most=1, most_bytes=999)
    jobs.give_up(head, state="dead", reason="no", along=[End(first.id, "done", "")])
    assert [state for state, _ in states(look)][:3] == ["dead", "done", "ready"]


def test_who_lost_its_head_ends_none(jobs: DatabaseJobs, head: Job, look: Look) -> None:
    along = [End(j.id, "done", "") for j in jobs.behind(head, most=9, most_bytes=999)]
    pass_time(look, 61)
    (again,) = next_of(jobs)
    assert again.id == head.id
    with pytest.raises(LeaseLost):
        jobs.finish(head, [], along=along)
    assert states(look) == [("leased", 2), *[("ready", 0)] * 4]
    assert behind(jobs, head) == []
    # Cut off once, it goes alone: it may be what kills us.
    assert behind(jobs, again) == []
    jobs.finish(again, [])
    assert numbers(next_of(jobs)) == [1]


def test_a_head_that_failed_takes_them_along_still(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    jobs.retry(head, wait_s=0, reason="away", is_of_target=True)
    (again,) = next_of(jobs)
    assert behind(jobs, again) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("kind = 'other'", [1, 2]),
        ("attempts = 1, due_at = due_at + interval '1 hour'", [1, 2]),
        ("expires_at = clock_timestamp() - interval '1 s'", [1, 2]),
        ("expires_at = clock_timestamp() + interval '5 s'", [1, 2]),
        ("expires_at = clock_timestamp() + interval '70 s'", [1, 2, 3, 4]),
        ("is_loose = true", [1, 2, 4]),
        ("state = 'dropped', finished_at = now()", [1, 2, 4]),
        ("lane = 'elsewhere'", [1, 2, 4]),
    ],
)
def test_they_go_as_far_as_nothing_is_between_them(
    jobs: DatabaseJobs, head: Job, look: Look, change: str, left: list[int]
) -> None:
    look(f"UPDATE jobs SET {change} WHERE payload->>'n' = '3'")
    assert behind(jobs, head) == left


def test_what_goes_along_does_not_expire_on_its_way(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    """Lest it be told as expired, and sent once more, though it was delivered."""
    look("UPDATE jobs SET expires_at = clock_timestamp() + interval '5 s'")
    along = [End(j.id, "done", "") for j in jobs.behind(head, most=9, most_bytes=999)]
    pass_time(look, 30)
    expired = {job.id for job in jobs.expire()}
    assert expired and not expired & {end.job_id for end in along}
    jobs.finish(head, [], along=along)


def test_a_loose_head_takes_nobody_along(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    look("UPDATE jobs SET is_loose = true WHERE id = %s", head.id)
    assert behind(jobs, head) == []


def test_those_retried_by_hand_go_along_with_each_other(
    jobs: DatabaseJobs, head: Job, look: Look, database: Database
) -> None:
    """Beside their lane, in which newer ones are on their way."""
    keys = [job.key for job in [head, *jobs.behind(head, most=2, most_bytes=999)]]
    look("UPDATE jobs SET expires_at = now() WHERE payload->>'n' IN ('1', '2')")
    jobs.expire()
    jobs.retry(head, wait_s=0, reason="no")
    (head,) = next_of(jobs)
    jobs.give_up(head, state="dead", reason="no")
    (newer,) = next_of(jobs)
    backlog = Backlog(database)
    assert backlog.retry_all("expired") == 2 and backlog.retry_all("dead") == 1
    (again,) = next_of(jobs)
    along = jobs.behind(again, most=9, most_bytes=999)
    assert [again.key, *(job.key for job in along)] == keys
    assert behind(jobs, newer) == [4]
    # As in any lane, the first of them holds up the others while it fails.
    jobs.retry(again, wait_s=5, reason="no")
    assert next_of(jobs) == []


def test_what_is_retried_twice_by_hand_has_no_further_lane(
    jobs: DatabaseJobs, head: Job, database: Database
) -> None:
    for _ in range(2):
        jobs.give_up(head, state="dead", reason="no")
        assert Backlog(database).retry(head.id)
        head, *_ = next_of(jobs)
        assert head.lane == "x (again)"


def test_what_was_dropped_meanwhile_stays_dropped(
    jobs: DatabaseJobs, head: Job, look: Look
) -> None:
    first, *_ = jobs.behind(head, most=1, most_bytes=999)
    look(
        "UPDATE jobs SET state = 'dropped', finished_at = now() WHERE id = %s", first.id
    )
    jobs.finish(head, [], along=[End(first.id, "done", "")])
    assert [state for state, _ in states(look)][:2] == ["done", "dropped"]
