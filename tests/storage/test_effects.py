"""Effects: what a job sends or does, each a job of its own."""

from __future__ import annotations

import re
import threading

import pytest

from malexbot.errors import Unstorable
from malexbot.ports import Effect, Job, LeaseLost, Terms
from malexbot.storage.database import Database
from malexbot.storage.failures import DatabaseRefused
from malexbot.storage.jobs import _FINISH as FINISH
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look, until
from tests.storage.working import claim, offer, pass_time


def test_effects_are_jobs_once_their_job_is_done(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    effects = [Effect("chat.post", "mattermost:x", {"n": n}) for n in range(3)]
    jobs.finish(job, effects, note="answered")
    assert look("SELECT state, reason FROM jobs WHERE kind = 'run'") == [
        ("done", "answered")
    ]
    sent = []
    while claimed := jobs.claim(kinds=["chat.post"], limit=9, lease_s=60):
        assert len(claimed) == 1
        sent.append((claimed[0].payload["n"], claimed[0].key))
        jobs.finish(claimed[0], [])
    assert [n for n, _ in sent] == [0, 1, 2]
    assert len({key for _, key in sent}) == 3


def test_a_job_and_its_effects_end_in_one_transaction(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    effects = [Effect("send", "x", {}), Effect("send", "x", {"no JSON": {1}})]
    with pytest.raises(Unstorable, match="JSON"):
        jobs.finish(job, effects)
    assert look("SELECT kind, state FROM jobs") == [("run", "leased")]


@pytest.mark.parametrize(
    "effect",
    [
        Effect("send", "x", {"text": "a\ud83d"}),
        Effect("send", "x", {"text": "a\\\0b"}),
        Effect("send", "x\0", {}),
        Effect("send", "x\ud83d", {}),
        Effect("send", "".join(map(chr, range(256, 9999))), {}),
        Effect("send", "x", {}, Terms(1e300)),
        Effect("send", "x", {}, Terms(None, "key\0", 60)),
    ],
)
def test_what_nobody_can_keep_is_told_from_what_is_ours_to_mend(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look, effect: Effect
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    with pytest.raises(Unstorable):
        jobs.finish(job, [Effect("send", "x", {}), effect])
    assert look("SELECT kind, state FROM jobs") == [("run", "leased")]
    look("ALTER TABLE jobs RENAME TO gone")
    with pytest.raises(DatabaseRefused) as caught:
        jobs.finish(job, [Effect("send", "x", {})])
    assert not isinstance(caught.value, Unstorable)


def test_what_only_looks_like_a_nul_is_said(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    payload = {"text": r"\u0000 and \\u0000"}
    jobs.finish(job, [Effect("send", "x", payload)])
    (send,) = jobs.claim(kinds=["send"], limit=1, lease_s=60)
    assert send.payload == payload


def said(*targets: str) -> list[Effect]:
    return [Effect("send", target, {"n": n}) for n, target in enumerate(targets)]


def test_who_ends_a_job_goes_on_with_its_first_effect(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    begun = jobs.finish(job, said("x", "x", "y"), lease_s=60)
    assert begun
    assert (begun.kind, begun.name, begun.payload) == ("send", "x", {"n": 0})
    assert (begun.attempts, begun.epoch, begun.is_noted) == (1, job.epoch, True)
    assert begun.sent_ago_s is None
    assert [claimed.payload["n"] for claimed in send(jobs)] == [2]
    jobs.finish(begun, [])
    assert [claimed.payload["n"] for claimed in send(jobs)] == [1]
    assert look("SELECT count(*) FROM jobs WHERE sending_at IS NOT NULL") == [(1,)]


def test_an_effect_that_was_begun_and_cut_off_may_have_been_sent(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    begun = jobs.finish(job, said("x"), lease_s=60)
    assert begun and send(jobs) == []
    pass_time(look, 61)
    (again,) = send(jobs)
    assert (again.id, again.attempts, again.is_noted) == (begun.id, 2, False)
    assert again.sent_ago_s == pytest.approx(61, abs=5)
    with pytest.raises(LeaseLost):
        jobs.finish(begun, [])


def test_who_did_not_hear_that_it_ended_goes_on_all_the_same(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    unheard = jobs.finish(job, said("x", "x"), lease_s=60)
    begun = jobs.finish(job, said("x", "x"), lease_s=60)
    assert unheard and begun
    assert (begun.id, begun.payload) == (unheard.id, {"n": 0})
    assert (begun.attempts, begun.is_noted, begun.sent_ago_s) == (2, True, None)
    assert look("SELECT count(*) FROM jobs WHERE kind = 'send'") == [(2,)]
    # Now somebody has it.
    with pytest.raises(LeaseLost):
        jobs.finish(job, said("x", "x"), lease_s=60)
    with pytest.raises(LeaseLost):
        jobs.finish(unheard, [])
    jobs.finish(begun, [])


def test_what_somebody_has_begun_is_not_taken_from_him(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    jobs.finish(job, said("x"))
    (claimed,) = send(jobs)
    with pytest.raises(LeaseLost):
        jobs.finish(job, said("x"), lease_s=60)
    jobs.finish(claimed, [])


def test_without_a_lease_nothing_is_begun(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    assert jobs.finish(job, said("x")) is None
    (claimed,) = send(jobs)
    assert (claimed.attempts, claimed.is_noted, claimed.sent_ago_s) == (1, False, None)


def test_what_waits_in_its_lane_comes_first(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "b1", "c1")
    first, second, third = claim(jobs)
    jobs.finish(first, said("x"))
    assert jobs.finish(second, said("x", "y"), lease_s=60) is None
    waited, beside = send(jobs)
    assert [waited.payload["n"], beside.payload["n"]] == [0, 1]
    assert jobs.finish(third, said("x"), lease_s=60) is None


def test_of_a_quiet_effect_nothing_is_begun(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1", "b1")
    terms = Terms(quiet_key="k", quiet_s=60)
    first, second = (Effect("send", target, {}, terms) for target in "xy")
    loud = Effect("send", "z", {})
    one, other = claim(jobs)
    assert jobs.finish(one, [first], lease_s=60)
    begun = jobs.finish(other, [second, loud], lease_s=60)
    assert begun and begun.name == "z"


def test_of_two_that_say_something_at_once_one_waits_for_the_other(
    database: Database, journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1", "b1")
    one, other = claim(jobs)
    begun: list[Job | None] = []
    with database.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('lane x', 0))")
        threads = [
            threading.Thread(
                target=lambda job=job: begun.append(  # type: ignore[misc]
                    jobs.finish(job, said("x"), lease_s=60)
                )
            )
            for job in (one, other)
        ]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        until(lambda: look(f"{waiting} AND NOT granted") == [(2,)])
    for thread in threads:
        thread.join()
    assert [bool(job) for job in begun].count(True) == 1
    assert send(jobs) == []


def effect_of(
    journal: DatabaseJournal, jobs: DatabaseJobs, name: str, terms: Terms
) -> None:
    offer(journal, name)
    (job,) = claim(jobs)
    jobs.finish(job, [Effect("send", "x", {"of": name}, terms)])


def send(jobs: DatabaseJobs) -> list[Job]:
    return jobs.claim(kinds=["send"], limit=9, lease_s=60)


def test_what_is_too_old_is_not_sent(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    effect_of(journal, jobs, "a1", Terms(max_age_s=100))
    effect_of(journal, jobs, "a2", Terms(max_age_s=200))
    (job,) = send(jobs)
    assert 90 < (job.left_s or 0) <= 100
    jobs.retry(job, wait_s=0, reason="down")
    assert jobs.expire() == []
    pass_time(look, 101)
    (gone,) = jobs.expire()
    assert (gone.id, gone.payload) == (job.id, {"of": "a1"})
    (job,) = send(jobs)
    assert job.payload == {"of": "a2"}
    assert look("SELECT reason FROM jobs WHERE state = 'expired'") == [
        ("too old; down",)
    ]


def test_an_uncertain_send_tells_when_it_began(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    effect_of(journal, jobs, "a1", Terms())
    (job,) = send(jobs)
    assert job.sent_ago_s is None
    jobs.mark_sending(job)
    pass_time(look, 10)
    jobs.retry(job, wait_s=0, reason="timed out", is_uncertain=True)
    (job,) = send(jobs)
    assert 10 <= (job.sent_ago_s or 0) < 20
    jobs.retry(job, wait_s=0, reason="refused")
    (job,) = send(jobs)
    assert job.sent_ago_s is None


def test_a_send_that_was_cut_off_is_uncertain(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    effect_of(journal, jobs, "a1", Terms())
    jobs.mark_sending(send(jobs)[0])
    pass_time(look, 61)
    assert [job.sent_ago_s is not None for job in send(jobs)] == [True]


def test_a_key_that_was_sent_lately_stays_quiet(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    quiet = Terms(quiet_key="greet:alice", quiet_s=60)
    effect_of(journal, jobs, "a1", quiet)
    effect_of(journal, jobs, "a2", quiet)
    effect_of(journal, jobs, "a3", quiet._replace(quiet_key="greet:bob"))
    pass_time(look, 61)
    effect_of(journal, jobs, "a4", quiet)
    assert look("SELECT payload->>'of' FROM jobs WHERE kind = 'send' ORDER BY 1") == [
        ("a1",),
        ("a3",),
        ("a4",),
    ]


def test_one_job_may_say_several_things_under_a_key(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    offer(journal, "a1")
    terms = Terms(quiet_key="k", quiet_s=60)
    jobs.finish(claim(jobs)[0], [Effect("send", "x", {}, terms)] * 3)
    assert look("SELECT number FROM jobs WHERE kind = 'send' ORDER BY 1") == [
        (0,),
        (1,),
        (2,),
    ]


def test_of_two_jobs_that_end_at_once_one_keeps_quiet(
    journal: DatabaseJournal, jobs: DatabaseJobs, database: Database, look: Look
) -> None:
    offer(journal, "a1", "b1")
    first, second = claim(jobs)
    greeting = Effect("send", "x", {}, Terms(quiet_key="greet", quiet_s=60))
    with database.transaction() as other:
        # as if the first were about to commit
        other.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('quiet greet', 0))"
        )
        other.execute(
            "INSERT INTO jobs (kind, name, lane, parent, number, quiet_key)"
            " VALUES ('send', 'x', 'x', %s, 0, 'greet')",
            (first.id,),
        )
        ending = threading.Thread(target=jobs.finish, args=(second, [greeting]))
        ending.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until(lambda: look.one(waits) or not ending.is_alive())
    ending.join()
    assert look("SELECT parent FROM jobs WHERE kind = 'send'") == [(first.id,)]


def test_what_is_known_by_its_key_has_it_of_its_job(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    """When the end of that is lost with the machine, and it is done anew."""
    effects = [
        Effect("redis", "redis:a", {}, is_keyed=True),
        Effect("redis", "redis:b", {}, is_keyed=True),
        Effect("chat.post", "mattermost:x", {}),
    ]
    found = []
    offer(journal, "a1", "b1")
    for _ in range(2):
        for job in claim(jobs):
            jobs.finish(job, effects)
        keys = look("SELECT key::text FROM jobs WHERE parent IS NOT NULL ORDER BY id")
        found.append([key for (key,) in keys])
        look("DELETE FROM jobs WHERE parent IS NOT NULL")
        look("UPDATE jobs SET state = 'ready', finished_at = NULL, due_at = now()")
    first, again = found
    assert len({*first}) == 6
    are_same = [a == b for a, b in zip(first, again, strict=True)]
    assert are_same == [True, True, False] * 2


def test_only_what_is_not_known_by_its_key_waits_for_the_disk(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    look(
        "ALTER TABLE jobs"
        " ADD COLUMN waits text DEFAULT current_setting('synchronous_commit')"
    )
    keyed = Effect("redis", "redis:a", {}, is_keyed=True)
    said = Effect("chat.post", "mattermost:x", {})
    offer(journal, "a1", "b1", "c1")
    for job, effects in zip(claim(jobs), ([keyed], [said], [keyed, said]), strict=True):
        jobs.finish(job, effects, lease_s=60)
    made = look("SELECT waits FROM jobs WHERE parent IS NOT NULL ORDER BY id")
    assert made == [("off",), ("on",), ("on",), ("on",)]


def test_the_lost_answer_to_an_end_that_waited_for_no_disk_is_found_out(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    (job,) = claim(jobs)
    effects = [Effect("redis", "redis:a", {}, is_keyed=True)]
    first = jobs.finish(job, effects, lease_s=60)
    again = jobs.finish(job, effects, lease_s=60)
    assert first and again and (first.key, again.attempts) == (again.key, 2)


def test_to_end_a_job_reads_nothing_of_what_waits_elsewhere(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look, database: Database
) -> None:
    offer(journal, *(f"{lane}1" for lane in "abcdefghij"))
    terms = {"id": 1, "epoch": 1, "attempts": 1, "state": "done", "reason": ""}
    terms |= {"lease_s": 60.0, "effects": "[]"}
    with database.transaction() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(FINISH.prepare)
        cursor.execute(f"EXPLAIN {FINISH.execute}", terms)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute(f"DEALLOCATE {FINISH.name}")
    assert re.search(r"using jobs_lane on jobs before .*\n +Index Cond: \(lane", plan)
