"""One transaction that makes events durable, whatever is among them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient
from malexbot.events import Event
from malexbot.ports import Entry, LeaseLost, Looked, Parcel, Reject
from malexbot.storage import journal as module
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership, LostLeadership
from tests.storage.conftest import Look, until
from tests.storage.happenings import (
    acted_on,
    edited,
    happening,
    kept,
    passing,
    post,
    posted,
    reacted,
)
from tests.storage.working import claim, ids, offer, pass_time

# As the type of a post it would end its row and begin another one.
FORGED = "\t1\t1\t0\t0\tm\t{}\t\\N\np\tt\tforged\tc\tu\t\t"

IDS = "SELECT id FROM posts ORDER BY id"


def poison(how: str) -> Event:
    """An event that PostgreSQL cannot hold."""
    made: dict[str, Callable[[], Event]] = {
        "nul": lambda: posted(post("bad", "a\0b")),
        "surrogate": lambda: posted(post("bad", "a\ud800b")),
        "number": lambda: posted(post("bad", create_at=2**64)),
        "none": lambda: posted(post("bad", None)),  # type: ignore[arg-type]
        "tab": lambda: posted(post("b\tad")),
        "line": lambda: posted(post("b\nad")),
        "forged": lambda: posted(post("bad", type=FORGED)),
        "return": lambda: posted(post("b\rad")),
        "null": lambda: posted(post("bad", user_id="\\N")),
        "reaction": lambda: happening(
            "reaction_added",
            None,
            event_id="no colons",
            reaction=reacted().reaction,
        ),
    }
    return made[how]()


HOW = ["nul", "surrogate", "number", "none", "tab", "line", "forged", "return", "null"]


def test_who_makes_jobs_begins_them_where_lanes_are_free(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    events = [posted(post(name, channel_id=name[0])) for name in ("a1", "a2", "b1")]
    begun = journal.write([acted_on(*events)], seats=9, lease_s=60)
    assert ids(begun) == ["a1", "b1"]
    job, _ = begun
    assert job.event == events[0]._replace(raw=b"")
    assert (job.kind, job.name, job.attempts) == ("run", "response", 1)
    assert (job.left_s, job.sent_ago_s, job.payload) == (None, None, {})
    assert look("SELECT key::text, lane FROM jobs ORDER BY id LIMIT 1") == [
        (job.key, job.lane)
    ]
    assert claim(jobs) == []
    jobs.finish(job, [])
    assert ids(claim(jobs)) == ["a2"]


def test_no_more_jobs_are_begun_than_there_are_seats(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    events = [posted(post(name, channel_id=name[0])) for name in ("a1", "b1", "c1")]
    assert ids(journal.write([acted_on(*events)], seats=2, lease_s=60)) == ["a1", "b1"]
    assert ids(claim(jobs)) == ["c1"]


def test_a_job_behind_an_older_one_is_not_begun(
    journal: DatabaseJournal, jobs: DatabaseJobs
) -> None:
    offer(journal, "a1")
    later = acted_on(posted(post("a2", channel_id="a")))
    assert journal.write([later], seats=9, lease_s=60) == []
    assert ids(claim(jobs)) == ["a1"]


def test_what_was_begun_is_begun_again_when_its_lease_is_over(
    journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> None:
    event = acted_on(posted(post("a1")))
    (begun,) = journal.write([event], seats=9, lease_s=60)
    assert journal.write([event], seats=9, lease_s=60) == []
    assert claim(jobs) == []
    pass_time(look, 61)
    assert [job.attempts for job in claim(jobs)] == [2]
    with pytest.raises(LeaseLost):
        jobs.finish(begun, [])


def test_another_journal_writes_on_the_same_session(
    journal: DatabaseJournal, leadership: Leadership, look: Look
) -> None:
    """The lock was lost and taken again while the one before was drained."""
    journal.write([kept(posted(post("p1")))])
    DatabaseJournal(leadership).write([kept(posted(post("p2")))])
    journal.write([kept(posted(post("p3")))])
    assert look(IDS) == [("p1",), ("p2",), ("p3",)]


@pytest.mark.parametrize("how", [*HOW, "reaction"])
def test_the_one_bad_event_goes_to_the_rejects(
    journal: DatabaseJournal, look: Look, how: str
) -> None:
    bad = poison(how)
    others = [posted(post(f"p{n}")) for n in range(6)]
    journal.write([kept(*others[:3], bad, *others[3:])])
    assert look(IDS) == [(f"p{n}",) for n in range(6)]
    ((source, raw, times),) = look("SELECT source, raw, times FROM rejects")
    assert (source, bytes(raw), times) == ("mattermost", bad.raw, 1)


def test_a_bad_event_alone_is_no_trouble(journal: DatabaseJournal, look: Look) -> None:
    journal.write([kept(poison("nul"))])
    journal.write([kept(poison("nul"))])
    assert look("SELECT times FROM rejects") == [(2,)]
    assert look(IDS) == []


def test_bad_events_take_nothing_with_them(
    journal: DatabaseJournal, look: Look
) -> None:
    """Their jobs, the marks of their parcel, the events around them, the rejects."""
    looked = Looked("mattermost", "channel1", 7, 1000)
    page = Parcel(
        [Entry(poison("nul"), True, ["response"]), *kept(posted(post())).entries],
        [looked],
        [Reject("mattermost", b"\0 no json", "bad \0 frame \ud800")],
    )
    journal.write([page, acted_on(posted(post("p2")))])
    assert look(IDS) == [("p1",)]
    assert look("SELECT event_id FROM jobs") == [("p2",)]
    assert look("SELECT messages FROM channels") == [(7,)]
    assert look("SELECT count(*) FROM rejects") == [(2,)]
    assert look("SELECT reason FROM rejects WHERE raw = %s", b"\0 no json") == [
        ("bad \\0 frame \\ud800",)
    ]


def test_a_job_that_json_cannot_hold_is_rejected_with_its_event(
    journal: DatabaseJournal, look: Look
) -> None:
    bad = posted(post("bad"), data={"who": object()})
    journal.write([acted_on(bad, posted(post()))])
    assert look("SELECT event_id FROM jobs") == [("p1",)]
    assert look("SELECT count(*) FROM rejects") == [(1,)]


def test_a_bad_mark_is_rejected_and_the_rest_is_written(
    journal: DatabaseJournal, look: Look
) -> None:
    bad = Looked("mattermost", "chan\0nel", 1, 1)
    journal.write([Parcel(kept(posted(post())).entries, [bad])])
    assert look(IDS) == [("p1",)]
    assert b"chan" in bytes(look.one("SELECT raw FROM rejects"))


def test_what_is_no_events_fault_rejects_none(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([])
    look("ALTER TABLE posts RENAME TO elsewhere")
    with pytest.raises(Permanent):
        journal.write([kept(posted(post()))])
    look("ALTER TABLE elsewhere RENAME TO posts")
    assert look("SELECT * FROM rejects") == []
    journal.write([kept(posted(post()))])
    assert look(IDS) == [("p1",)]


def test_a_busy_database_repeats_the_batch_and_rejects_nothing(
    journal: DatabaseJournal,
    look: Look,
    database: Database,
    leadership: Leadership,
) -> None:
    with database.transaction() as other:
        other.execute("LOCK TABLE posts")
        with leadership.transaction() as cursor:
            cursor.execute("SET statement_timeout = 200")
        with pytest.raises(Transient):
            journal.write([kept(posted(post()))])
    journal.write([kept(posted(post()))])
    assert look(IDS) == [("p1",)]
    assert look("SELECT * FROM rejects") == []


def test_all_parcels_are_one_commit(
    journal: DatabaseJournal, look: Look, database: Database
) -> None:
    """The last thing written waits for a lock: until then nothing is to be seen."""
    parcels = [kept(posted(post())), acted_on(posted(post("p2")))]
    parcels += [Parcel(marks=[Looked("mattermost", "channel1", 1, 1)])]
    with database.transaction() as other:
        other.execute("LOCK TABLE channels IN EXCLUSIVE MODE")
        writer = threading.Thread(target=journal.write, args=(parcels,))
        writer.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until(lambda: look.one(blocked))
        seen: Any = look("SELECT 1 FROM posts UNION ALL SELECT 1 FROM jobs")
        other.execute("SELECT 1")
    writer.join()
    assert seen == []
    assert look("SELECT 1 FROM posts UNION ALL SELECT 1 FROM jobs") == [(1,), (1,)]


def test_the_same_batch_again_changes_nothing(
    journal: DatabaseJournal, look: Look
) -> None:
    batch = [
        kept(posted(post()), edited(post(message="second", edit_at=2000))),
        passing(reacted()),
        acted_on(posted(post("p2"))),
    ]
    everything = (
        "SELECT p::text FROM posts p UNION ALL SELECT v::text FROM post_versions v"
        " UNION ALL SELECT r::text FROM reactions r"
        " UNION ALL SELECT j::text FROM jobs j"
    )
    journal.write(batch)
    before = look(everything)
    journal.write(batch)
    journal.write([*batch, *batch])
    assert look(everything) == before


def test_an_event_is_one_job_a_processor(journal: DatabaseJournal, look: Look) -> None:
    live, walked = posted(post()), posted(post(), origin="backfill")
    journal.write([acted_on(live, walked, by=["log", "response"])])
    journal.write([acted_on(walked, by=["response", "third"])])
    assert look("SELECT event_id, name, kind, lane FROM jobs ORDER BY name") == [
        ("p1", "log", "run", "mattermost:channel1:log"),
        ("p1", "response", "run", "mattermost:channel1:response"),
        ("p1", "third", "run", "mattermost:channel1:third"),
    ]


def test_the_job_of_an_event_has_the_same_key_in_a_restored_database(
    journal: DatabaseJournal, look: Look
) -> None:
    """By it a service knows what is handed over once more."""
    keys = "DELETE FROM jobs RETURNING event_id, key"
    journal.write([acted_on(posted(post("p1")), posted(post("p2")))])
    before = sorted(look(keys))
    journal.write([acted_on(posted(post("p1")))], seats=1, lease_s=60)
    journal.write([acted_on(posted(post("p2")))])
    assert sorted(look(keys)) == before
    assert before[0][1] != before[1][1]


def test_jobs_have_the_order_of_their_events(
    journal: DatabaseJournal, look: Look
) -> None:
    events = [posted(post(f"p{n}")) for n in (5, 3, 9, 1)]
    journal.write([acted_on(*events[:2]), acted_on(*events[2:])])
    ids = [event_id for (event_id,) in look("SELECT event_id FROM jobs ORDER BY id")]
    assert ids == ["p5", "p3", "p9", "p1"]


def test_odd_names_make_jobs_too(journal: DatabaseJournal, look: Look) -> None:
    odd = happening("typing", None, event_id="a\tb\\N\n")
    journal.write([acted_on(odd, by=['o\\d"d, {name}'])])
    assert look("SELECT event_id, name FROM jobs") == [("a\tb\\N\n", 'o\\d"d, {name}')]


def test_who_lost_the_lock_writes_nothing(
    journal: DatabaseJournal, look: Look, leadership: Leadership
) -> None:
    journal.write([kept(posted(post()))])
    look(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'malexbot daemon' AND datname = current_database()"
    )
    with pytest.raises(LostLeadership):
        journal.write([kept(posted(post("p2")))])
    assert look(IDS) == [("p1",)]
    assert leadership.try_take()
    journal.write([kept(posted(post("p2")))])
    assert look(IDS) == [("p1",), ("p2",)]


@pytest.mark.parametrize("worn_rows", [1, 3, 1_000])
def test_each_batch_begins_with_empty_tables(
    journal: DatabaseJournal,
    leadership: Leadership,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    worn_rows: int,
) -> None:
    monkeypatch.setattr(module, "_WORN_ROWS", worn_rows)
    for number in range(5):
        journal.write([kept(posted(post(f"p{number}")))])
        with leadership.transaction() as cursor:
            cursor.execute("SELECT count(*) FROM incoming")
            assert cursor.fetchone() == (1,)
    assert look(IDS) == [(f"p{number}",) for number in range(5)]
