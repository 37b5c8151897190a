"""What is forgotten, and when."""

from __future__ import annotations

import pytest

from malexbot.errors import Transient
from malexbot.ports import Effect
from malexbot.storage import upkeep
from malexbot.storage.database import Database
from malexbot.storage.expiry import Expiry
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.outbox import Outbox
from malexbot.storage.upkeep import Upkeep
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, deleted, passing, post, posted
from tests.storage.interacting import grant
from tests.support.threads import Running, eventually

AGED = """
UPDATE jobs SET created_at = created_at - interval '2 days',
  finished_at = finished_at - interval '2 days'
"""


def upkeep_of(database: Database, longest_age_s: float = 600.0) -> Upkeep:
    return Upkeep(database, longest_age_s=lambda: longest_age_s)


def test_finished_jobs_are_forgotten_only_when_their_time_has_come(
    journal: DatabaseJournal, database: Database, leadership: Leadership, look: Look
) -> None:
    jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    journal.write([acted_on(*(posted(post(f"p{n}")) for n in range(3)))])
    (old,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    jobs.finish(old, [])
    look(AGED)
    (late,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    jobs.finish(late, [])
    assert upkeep_of(database).forget_jobs(keep_s=86_400 * 3) == 0
    assert upkeep_of(database).forget_jobs(keep_s=86_400) == 1
    left = look("SELECT event_id, state FROM jobs ORDER BY id")
    assert left == [("p1", "done"), ("p2", "ready")]


def test_a_job_stays_while_something_of_it_waits(
    journal: DatabaseJournal, database: Database, jobs: DatabaseJobs, look: Look
) -> None:
    """Only by it whoever is erased finds what of theirs is still to be handed over."""
    journal.write([acted_on(posted(post("p1")))])
    (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    jobs.finish(job, [Effect("redis", "redis:x", {})])
    look(AGED)
    upkeep_of(database).forget()
    Expiry(database, keep_s=lambda: 1.0, since_ms=lambda: 2**42).expire()
    assert look("SELECT state FROM jobs ORDER BY id") == [("done",), ("ready",)]
    look("UPDATE jobs SET state = 'done', finished_at = created_at")
    upkeep_of(database).forget()
    assert look("SELECT count(*) FROM jobs") == [(0,)]


def test_echoes_fade(journal: DatabaseJournal, database: Database, look: Look) -> None:
    journal.write([passing(deleted(post("p1")))])
    look("UPDATE echoes SET heard_at = heard_at - interval '2 hours'")
    journal.write([passing(deleted(post("p2")))])
    assert upkeep_of(database).forget_echoes() == 1
    assert look("SELECT id FROM echoes") == [("p2",)]


def test_much_is_forgotten_in_pieces(
    database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_PIECE", 10)
    look(
        "INSERT INTO echoes (kind, keeps, id, heard_at)"
        " SELECT 'd', false, n, now() - interval '2 hours'"
        " FROM generate_series(1, 25) n"
    )
    assert upkeep_of(database).forget_echoes() == 25


def test_a_job_is_kept_as_long_as_its_event_could_be_acted_on_again(
    journal: DatabaseJournal, database: Database, leadership: Leadership, look: Look
) -> None:
    jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    journal.write([acted_on(posted(post("p1")))])
    (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    jobs.finish(job, [])
    look(AGED)
    upkeep_of(database, float("inf")).forget()
    upkeep_of(database, 2 * 86_400.0).forget()
    assert look("SELECT count(*) FROM jobs") == [(1,)]
    upkeep_of(database, 600.0).forget()
    assert look("SELECT count(*) FROM jobs") == [(0,)]


def test_an_outage_does_not_end_the_upkeep(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY_S", 0.001)
    calls: list[int] = []

    def away(self: Upkeep) -> None:
        calls.append(1)
        raise Transient("the database is away")

    monkeypatch.setattr(Upkeep, "forget", away)
    with Running(upkeep_of(database)):
        eventually(lambda: len(calls) > 2)


def test_what_can_be_pressed_is_forgotten_a_day_after_it_expired(
    database: Database, look: Look
) -> None:
    grants = [grant(expires_s=seconds) for seconds in (-90_000, -80_000, 60)]
    Outbox(database).put("mattermost:c1", [{}], granted=grants)
    look("INSERT INTO grant_uses (ref, event_id) SELECT ref, 'e1' FROM grants")
    upkeep_of(database).forget()
    left = [(each.ref,) for each in grants[1:]]
    assert look("SELECT ref FROM grants ORDER BY ref") == left
    assert look("SELECT ref FROM grant_uses ORDER BY ref") == left


def test_who_has_pressed_is_known_as_long_as_his_job(
    database: Database, look: Look
) -> None:
    ever = grant(uses=None, expires_s=9e9)
    Outbox(database).put("mattermost:c1", [{}], granted=[ever])
    for event_id, days in (("old", 3), ("new", 1)):
        look(
            "INSERT INTO grant_uses (ref, event_id, used_at)"
            " VALUES (%s, %s, now() - %s * interval '1 day')",
            *(ever.ref, event_id, days),
        )
        look(
            "INSERT INTO answer_ways (event_id, key, used_at)"
            " VALUES (%s, 'key', now() - %s * interval '1 day')",
            *(event_id, days),
        )
    upkeep_of(database, float("inf")).forget()
    assert look("SELECT count(*) FROM grant_uses") == [(2,)]
    upkeep_of(database, 86_400.0).forget()
    for table in ("grant_uses", "answer_ways"):
        assert look(f"SELECT event_id FROM {table}") == [("new",)]
    assert look("SELECT ref FROM grants") == [(ever.ref,)]
