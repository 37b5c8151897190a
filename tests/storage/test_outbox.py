"""What an operator sends: jobs in the lane of their target, each key once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from malexbot.ports import Effect
from malexbot.storage.database import Database
from malexbot.storage.grants import DatabaseGrants
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.outbox import Outbox
from malexbot.storage.upkeep import Upkeep
from tests.storage.conftest import Look, until
from tests.storage.interacting import grant
from tests.storage.working import claim, offer

TARGET = "mattermost:x"
PARTS = [{"n": 1}, {"n": 2}]


def sent(jobs: DatabaseJobs) -> list[object]:
    told = []
    while claimed := jobs.claim(kinds=["chat.post"], limit=9, lease_s=60):
        assert len(claimed) == 1
        told.append(claimed[0].payload["n"])
        jobs.finish(claimed[0], [], note=f"post {claimed[0].payload['n']}")
    return told


def test_the_parts_are_sent_one_after_the_other_behind_what_waits_there(
    database: Database, journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    jobs.finish(job, [Effect("chat.post", TARGET, {"n": 0})])
    order = Outbox(database).put(TARGET, PARTS)
    assert (len(order.parts), order.is_repeat) == (2, False)
    assert sent(jobs) == [0, 1, 2]


def test_a_key_is_used_once_in_a_place(
    database: Database, jobs: DatabaseJobs, look: Look
) -> None:
    outbox = Outbox(database)
    assert outbox.find("k", TARGET) is None
    first = outbox.put(TARGET, PARTS, key="k")
    assert sent(jobs) == [1, 2]
    again = outbox.put(TARGET, [{"n": 3}], key="k")
    assert again.is_repeat and again.parts == first.parts
    assert outbox.find("k", TARGET) == again
    assert not outbox.put("mattermost:y", PARTS, key="k").is_repeat
    assert not outbox.put(TARGET, PARTS, key="other").is_repeat
    assert not outbox.put(TARGET, PARTS).is_repeat
    assert not outbox.put(TARGET, PARTS).is_repeat
    assert look("SELECT count(*) FROM jobs WHERE kind = 'send'") == [(5,)]


def test_what_may_be_pressed_on_it_is_there_once(
    database: Database, look: Look
) -> None:
    outbox, first, again = Outbox(database), grant(), grant()
    outbox.put(TARGET, PARTS, key="k", granted=[first])
    outbox.put(TARGET, PARTS, key="k", granted=[again])
    assert look("SELECT ref, caused_by FROM grants") == [(first.ref, "")]
    assert DatabaseGrants(database).take(first.ref, event_id="e1")


def test_of_many_at_once_one_sends(database: Database, look: Look) -> None:
    outbox = Outbox(database)
    with ThreadPoolExecutor(4) as pool:
        orders = list(pool.map(lambda _: outbox.put(TARGET, PARTS, key="k"), range(8)))
    assert sorted(order.is_repeat for order in orders) == [False] + [True] * 7
    assert len({tuple(order.parts) for order in orders}) == 1
    assert look("SELECT count(*) FROM jobs") == [(3,)]


def test_who_ends_a_job_of_the_lane_is_waited_for(
    database: Database, look: Look
) -> None:
    """Else both would take their message for the oldest of the lane."""
    lock = f"pg_advisory_xact_lock(hashtextextended('lane {TARGET}', 0))"
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as cursor:
            cursor.execute(f"SELECT {lock}")
            put = pool.submit(Outbox(database).put, TARGET, PARTS)
            waits = (
                "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
                " WHERE NOT granted AND datname = current_database()"
            )
            until(lambda: look(waits) == [(1,)])
            assert not put.done()
        assert not put.result().is_repeat


def test_what_was_not_sent_in_time_is_not_sent(
    database: Database, jobs: DatabaseJobs, look: Look
) -> None:
    Outbox(database).put(TARGET, PARTS, max_age_s=0)
    jobs.expire()
    assert sent(jobs) == []
    assert look("SELECT DISTINCT state FROM jobs WHERE kind <> 'send'") == [
        ("expired",)
    ]


def test_keys_are_known_for_a_month(
    database: Database, jobs: DatabaseJobs, look: Look
) -> None:
    outbox, upkeep = Outbox(database), Upkeep(database, longest_age_s=lambda: 600.0)
    order = outbox.put(TARGET, PARTS, key="k")
    outbox.put(TARGET, PARTS)
    assert len(sent(jobs)) == 4

    def pass_days(days: int) -> None:
        with database.transaction() as cursor:
            cursor.execute(
                "UPDATE jobs SET created_at = created_at - %(d)s * interval '1 day',"
                " finished_at = finished_at - %(d)s * interval '1 day'",
                {"d": days},
            )
        upkeep.forget()

    pass_days(29)
    assert look("SELECT count(*) FROM jobs") == [(3,)]
    assert outbox.put(TARGET, PARTS, key="k").parts == order.parts
    pass_days(2)
    assert look("SELECT count(*) FROM jobs") == [(0,)]
