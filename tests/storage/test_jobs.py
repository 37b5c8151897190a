"""Jobs are claimed in the order of their lanes, and ended by who holds them."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest

from malexbot.ports import Effect, LeaseLost
from malexbot.storage.claims import MOST_CUT_OFF
from malexbot.storage.database import Database, Fenced
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look, until
from tests.storage.happenings import acted_on, post, posted
from tests.storage.working import RUN, claim, ids, offer, pass_time


def test_a_job_has_all_that_it_needs(
    journal: DatabaseJournal, jobs: DatabaseJobs, leadership: Leadership
) -> None:
    event = posted(post("a1"))
    journal.write([acted_on(event)])
    (job,) = claim(jobs)
    assert job.event == event._replace(raw=b"")
    assert (job.kind, job.name) == ("run", "response")
    assert job.lane == "mattermost:channel1:response"
    assert (job.attempts, job.failures, job.epoch) == (1, 0, leadership.epoch)
    assert (job.left_s, job.sent_ago_s, job.payload) == (None, None, {})
    assert len(job.key) == 36


def test_only_the_oldest_of_a_lane_is_claimed(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "a2", "b1", "a3", "b2")
    first = claim(jobs)
    assert ids(first) == ["a1", "b1"]
    assert claim(jobs) == []
    jobs.finish(first[0], [])
    assert ids(claim(jobs)) == ["a2"]
    jobs.give_up(first[1], state="dead", reason="broken")
    assert ids(claim(jobs)) == ["b2"]


def test_a_reason_is_kept_readable(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "b1", "c1")
    a, b, c = claim(jobs)
    words = "no \0 and no \ud83d"
    jobs.finish(a, [], note=words)
    jobs.retry(b, wait_s=9, reason=words)
    jobs.give_up(c, state="dead", reason=words)
    reasons = look("SELECT DISTINCT reason FROM jobs")
    assert reasons == [("no \\0 and no \\ud83d",)]


def test_no_more_are_claimed_than_were_asked_for(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, *[f"{lane}1" for lane in "abcdefg"])
    assert len(claim(jobs, limit=3)) == 3
    assert claim(jobs, limit=0) == []
    assert len(claim(jobs, limit=9)) == 4


def test_all_lanes_have_their_turn(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "a2", "a3", "b1", "b2", "c1")
    order = []
    while claimed := claim(jobs, limit=1):
        order += ids(claimed)
        jobs.finish(claimed[0], [])
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_waits_goes_first_and_takes_nobodys_turn(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    """A backlog may be long, and a press lives for a minute."""
    offer(journal, "a1", "a2", "b1", "z1")
    (first,) = claim(jobs, limit=1)
    told = {"user_id": "u"}
    said = [
        Effect("chat.post", "mattermost:@u", told),
        Effect("chat.answer", "mattermost:@u/press", told),
        Effect("chat.answer", "vk:@7/press", told),
    ]
    jobs.finish(first, said)
    kinds = ("run", "chat.post", "chat.answer")
    order = []
    while claimed := jobs.claim(kinds=kinds, limit=1, lease_s=60):
        order += [job.lane for job in claimed]
        jobs.finish(claimed[0], [])
    assert order == [
        "mattermost:@u/press",
        "mattermost:b:response",
        "vk:@7/press",
        "mattermost:z:response",
        "mattermost:@u",
        "mattermost:a:response",
    ]


def test_a_flood_of_one_kind_leaves_turns_to_the_others(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    """People who press without end, and a target that fails whatever it is given."""
    offer(journal, "a1", "a2", "a3")
    look("""
        INSERT INTO jobs (kind, name, lane, is_loose, attempts)
        SELECT 'run', 'x', lane, is_loose, is_loose::int FROM generate_series(1, 9),
          (VALUES ('mattermost:x', true), ('vk:@7:x', false)) flood (lane, is_loose)
        """)
    claim(jobs, limit=1)
    order = []
    for _ in range(4):
        (job,) = claim(jobs, limit=1)
        order.append(job.lane)
        jobs.finish(job, [])
    assert order == ["vk:@7:x", "mattermost:x", "vk:@7:x", "mattermost:a:response"]


def test_what_was_never_begun_waits_for_no_clock(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    """That of the database may be set back."""
    offer(journal, "a1", "b1")
    pass_time(look, -3600)
    assert ids(claim(jobs)) == ["a1", "b1"]


def test_who_waits_is_claimed_once_among_the_others(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "b1", "c1")
    first, *_ = claim(jobs, limit=1)
    jobs.finish(first, [Effect("run", "vk:@7:route", {}), Effect("run", "vk:@7", {})])
    claimed = claim(jobs, limit=4)
    assert sorted(job.lane for job in claimed) == [
        "mattermost:b:response",
        "mattermost:c:response",
        "vk:@7",
        "vk:@7:route",
    ]


def test_only_the_kinds_asked_for_are_claimed(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "a2", "a3")
    (job,) = claim(jobs)
    jobs.finish(job, [Effect("chat.post", "mattermost:a", {"text": "hi"})])
    assert ids(claim(jobs)) == ["a2"]
    (send,) = jobs.claim(kinds=("chat.post", "x"), limit=9, lease_s=60)
    assert (send.name, send.payload, send.event) == (
        "mattermost:a",
        {"text": "hi"},
        None,
    )
    assert (job.parent, send.parent) == (None, job.id)


def test_a_job_that_is_not_ours_any_more_has_no_effects(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    jobs.finish(job, [Effect("chat.post", "x", {})])
    with pytest.raises(LeaseLost):
        jobs.finish(job, [Effect("chat.post", "x", {})] * 2)
    with pytest.raises(LeaseLost):
        jobs.retry(job, wait_s=0, reason="late")
    with pytest.raises(LeaseLost):
        jobs.give_up(job, state="dead", reason="late")
    with pytest.raises(LeaseLost):
        jobs.mark_sending(job)
    assert look("SELECT kind, state FROM jobs ORDER BY id") == [
        ("run", "done"),
        ("chat.post", "ready"),
    ]


def test_an_event_that_comes_again_after_its_job_was_done_is_no_job(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    jobs.finish(claim(jobs)[0], [])
    offer(journal, "a1", "a1")
    assert claim(jobs) == []
    assert look("SELECT reason FROM rejects") == []


def test_a_retry_waits_and_holds_its_lane(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2")
    (job,) = claim(jobs)
    jobs.retry(job, wait_s=20, reason="timed out")
    assert claim(jobs) == []
    assert 18 < (jobs.due_s() or 0) <= 20
    pass_time(look, 21)
    assert jobs.due_s() == 0
    (again,) = claim(jobs)
    assert ids([again]) == ["a1"]
    assert (again.attempts, again.failures) == (2, 1)


def test_a_lane_passes_a_job_that_fails_for_long(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2", "a3")
    for _ in range(2):
        (job,) = claim(jobs)
        assert ids([job]) == ["a1"]
        jobs.retry(job, wait_s=14, reason="down")
        assert claim(jobs) == []
        pass_time(look, 15)
    (job,) = claim(jobs)
    jobs.retry(job, wait_s=14, reason="down")
    (passing,) = claim(jobs)
    assert ids([passing]) == ["a2"]
    pass_time(look, 15)
    assert ids(claim(jobs)) == ["a1"]


def test_a_wait_beyond_thirty_seconds_frees_the_lane_at_once(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "a2")
    jobs.retry(claim(jobs)[0], wait_s=31, reason="come back later")
    assert ids(claim(jobs)) == ["a2"]


def test_a_lane_waits_for_its_target_however_long(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2")
    for _ in range(5):
        (job,) = claim(jobs)
        assert ids([job]) == ["a1"]
        # It has waited, and has not failed.
        assert job.failing_s == 0
        jobs.retry(job, wait_s=60, reason="away", is_of_target=True)
        pass_time(look, 61)
    # What fails by itself then is passed as soon as ever.
    for _ in range(2):
        (job,) = claim(jobs)
        assert ids([job]) == ["a1"]
        jobs.retry(job, wait_s=14, reason="500")
        pass_time(look, 15)
    (job,) = claim(jobs)
    assert 30 <= job.failing_s < 60
    jobs.retry(job, wait_s=14, reason="500")
    assert ids(claim(jobs)) == ["a2"]


def test_a_lease_that_ran_out_is_claimed_by_another(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2")
    (slow,) = claim(jobs, lease_s=5)
    assert claim(jobs) == []
    pass_time(look, 6)
    (again,) = claim(jobs)
    assert (ids([again]), again.attempts, again.failures) == (["a1"], 2, 0)
    with pytest.raises(LeaseLost):
        jobs.finish(slow, [])
    jobs.finish(again, [])


def test_who_is_late_but_not_replaced_may_still_end_his_job(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    """It was done; to do it again because of the clock would help nobody."""
    offer(journal, "a1")
    (job,) = claim(jobs, lease_s=5)
    pass_time(look, 6)
    with pytest.raises(LeaseLost):
        jobs.mark_sending(job)
    jobs.finish(job, [])
    assert claim(jobs) == []


def test_a_new_daemon_voids_the_leases_of_the_old_one(
    journal: DatabaseJournal,
    jobs: DatabaseJobs,
    database: Database,
    leadership: Leadership,
    migrated_database: Dsn,
) -> None:
    offer(journal, "a1", "a2", "b1")
    old = claim(jobs, lease_s=3600)
    leadership.close()
    successor = Leadership(migrated_database)
    try:
        until(successor.try_take)
        fresh = DatabaseJobs(database, epoch=lambda: successor.epoch)
        with pytest.raises(LeaseLost):
            jobs.finish(old[0], [])
        again = claim(fresh)
        assert ids(again) == ["a1", "b1"]
        assert {job.epoch for job in again} == {old[0].epoch + 1}
        for stale in old:
            with pytest.raises(LeaseLost):
                jobs.finish(stale, [])
        fresh.finish(again[0], [])
    finally:
        successor.close()


def test_a_new_daemon_waits_for_no_clock_of_another_server(
    journal: DatabaseJournal,
    jobs: DatabaseJobs,
    database: Database,
    leadership: Leadership,
    look: Look,
) -> None:
    """The database was moved, and the clock there is an hour behind."""
    offer(journal, "a1", "b1")
    early, late = claim(jobs)
    jobs.retry(early, wait_s=1, reason="away")
    pass_time(look, -3600)
    jobs.retry(late, wait_s=300, reason="busy")
    fresh = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    assert ids(claim(fresh)) == ["a1"]


def test_a_former_daemon_claims_nothing(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> None:
    offer(journal, "a1")
    former = DatabaseJobs(database, epoch=lambda: leadership.epoch - 1)
    with pytest.raises(Fenced):
        claim(former)


def test_attempts_and_the_start_are_written_with_the_lease(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    written = "SELECT attempts, started_at IS NOT NULL, started_at >= %s FROM jobs"
    for attempt in (1, 2):
        asked_at = look.one("SELECT clock_timestamp()")
        claim(jobs)
        assert look(written, asked_at) == [(attempt, True, True)]
        pass_time(look, 61)


def test_a_job_that_kills_us_goes_dead(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2")
    for attempt in range(1, MOST_CUT_OFF + 1):
        assert [job.attempts for job in claim(jobs)] == [attempt]
        pass_time(look, 61)
    assert ids(claim(jobs)) == ["a2"]
    assert look("SELECT state, attempts, reason FROM jobs WHERE event_id = 'a1'") == [
        ("dead", MOST_CUT_OFF, "was cut off 5 times")
    ]


def test_failures_that_were_told_kill_no_job(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    for _ in range(MOST_CUT_OFF + 2):
        jobs.retry(claim(jobs)[0], wait_s=0, reason="down")
    claim(jobs)
    pass_time(look, 61)
    (job,) = claim(jobs)
    assert (job.attempts, job.failures) == (MOST_CUT_OFF + 4, MOST_CUT_OFF + 2)


def test_nothing_is_due_when_nothing_waits(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    assert jobs.due_s() is None
    offer(journal, "a1")
    (job,) = claim(jobs, lease_s=40)
    assert 38 < (jobs.due_s() or 0) <= 40
    jobs.finish(job, [])
    assert jobs.due_s() is None


def test_a_full_lane_of_dead_ends_does_not_hide_what_is_ready(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "a2", "b1")
    look("UPDATE jobs SET attempts = 5, state = 'leased' WHERE event_id <> 'a2'")
    assert ids(claim(jobs, limit=1)) == ["a2"]


def test_many_threads_do_each_job_once_and_in_order(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> None:
    """Two pools and six threads, as two processes would have them."""
    names = [f"{lane}{n}" for n in range(25) for lane in "abcdefgh"]
    offer(journal, *names)
    began: dict[str, list[str]] = defaultdict(list)
    running: set[str] = set()
    lock, all_begun = threading.Lock(), threading.Event()
    errors: list[str] = []

    def work(jobs: DatabaseJobs) -> None:
        while not all_begun.is_set():
            for job in jobs.claim(kinds=RUN, limit=2, lease_s=60):
                with lock:
                    if job.lane in running:
                        errors.append(job.lane)
                    running.add(job.lane)
                    began[job.lane] += ids([job])
                    if sum(map(len, began.values())) == len(names):
                        all_begun.set()
                with lock:
                    running.discard(job.lane)
                jobs.finish(job, [])

    def epoch() -> int:
        return leadership.epoch

    with Database(database.dsn) as second:
        pools = [DatabaseJobs(each, epoch=epoch) for each in (database, second)]
        threads = [
            threading.Thread(target=work, args=(pools[n % 2],)) for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert sorted(sum(began.values(), [])) == sorted(names)
    for lane in began.values():
        assert lane == [f"{lane[0][0]}{n}" for n in range(25)]


def test_a_claim_waits_for_nobody(
    journal: DatabaseJournal, jobs: DatabaseJobs, database: Database
) -> None:
    """What another worker is about to claim is left to it."""
    offer(journal, "a1", "b1")
    with database.transaction() as other:
        other.execute("SELECT 1 FROM jobs WHERE event_id = 'a1' FOR UPDATE")
        assert ids(claim(jobs)) == ["b1"]
    assert ids(claim(jobs)) == ["a1"]
