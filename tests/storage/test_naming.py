"""Ids that are numbers, as VK's are: found where they are meant, and nowhere else."""

from __future__ import annotations

import re

import orjson
import pytest

from malexbot.events import Event, Message, Peer, User
from malexbot.ports import Effect, Parcel, Put, Reject
from malexbot.storage.database import Database
from malexbot.storage.erasure import Erasure
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.naming import is_telling, naming
from malexbot.storage.outbox import Outbox
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, happening
from tests.storage.interacting import grant

SECRET = "kumquat"
# The tables that have something of who is at VK.
PIPED = ("jobs", "rejects", "grants")


@pytest.mark.parametrize(
    ("user_id", "text", "is_named"),
    [
        ("20629", '{"from_id":20629}', True),
        ("20629", "of 20629: x", True),
        ("20629", "120629", False),
        ("20629", "206290", False),
        ("alice", "standup_alice", True),
        ("a.b", "axb", False),
    ],
)
def test_a_number_is_no_part_of_another(
    user_id: str, text: str, is_named: bool
) -> None:
    assert (re.search(naming(user_id), text) is not None) is is_named


def test_a_short_number_tells_nothing() -> None:
    assert [is_telling(id_) for id_ in ("7", "1999", "20629", "bob")] == [
        *(False, False),
        *(True, True),
    ]


ANNA, HANNA = User(206295116, "Anna"), User(1206295116, "Hanna")


def of_vk(event_id: str, user: User) -> Event:
    there = Peer(2000000001, 1, "Town")
    said = Message(7, f"{SECRET} of {user.name}")
    return happening(
        *("message_new", None),
        event_id=event_id,
        source="vk",
        user=user,
        peer=there,
        message=said,
    )


def at_vk(journal: DatabaseJournal, user: User) -> None:
    """A malformed update of theirs, and one that a processor acts on."""
    raw = orjson.dumps({"from_id": user.uuid, "text": SECRET})
    journal.write([acted_on(of_vk(f"e{user.uuid}", user), by=["route"])])
    journal.write([Parcel(rejects=[Reject("vk", raw, "KeyError")])])


def test_who_is_at_vk_is_told_from_whose_number_has_theirs_in_it(
    journal: DatabaseJournal,
    database: Database,
    leadership: Leadership,
    look: Look,
) -> None:
    jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    for user in (ANNA, HANNA):
        at_vk(journal, user)
        (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
        handed_on = Effect("redis", "redis:x", {"event": {"user": user._asdict()}})
        pressed = Effect("post", "vk:1", {}, grants=[grant(payload={"of": user.uuid})])
        puts = [
            Put("votes", f"{user.uuid}", 1),
            Put("seen", str(user.name), [user.uuid, 3]),
        ]
        jobs.finish(job, [handed_on, pressed], writes=puts)
    anna = Erasure(database, "vk", str(ANNA.uuid))
    counts = {kind: count for kind, count in anna.count().items() if count}
    assert counts == {
        "jobs": 1,
        "rejects": 1,
        "buttons and dialogs": 1,
        "values that plugins keep": 2,
    }
    anna.erase(lambda _: None)
    assert set(anna.count().values()) == {0}
    hannas = {name: look.one(f"SELECT count(*) FROM {name}") for name in PIPED}
    assert hannas == {"jobs": 3, "rejects": 1, "grants": 1}
    assert look("SELECT key FROM store ORDER BY key") == [
        ("1206295116",),
        ("Anna",),
        ("Hanna",),
    ]
    assert look.one("SELECT value FROM store WHERE key = 'Anna'") == [3]
    for user in (ANNA, HANNA):
        at_vk(journal, user)
    assert look.one("SELECT count(*) FROM jobs WHERE event IS NOT NULL") == 1
    assert look.one("SELECT times FROM rejects") == 2


def test_a_number_that_may_be_anything_takes_nothing_of_others(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    """But what is theirs beyond doubt goes."""
    journal.write([acted_on(of_vk("e1", User(7))), acted_on(of_vk("e2", User(8)))])
    journal.write([Parcel(rejects=[Reject("vk", b'{"n": 7}', "KeyError")])])
    free, theirs = grant(payload={"n": 7}), grant(users=("7",))
    Outbox(database).put("vk:8", [{}], granted=[free, theirs])
    look("INSERT INTO store (space, key, value) VALUES ('a', '7', '7')")
    Erasure(database, "vk", "7").erase(lambda _: None)
    assert look("SELECT event_id FROM jobs WHERE kind = 'run'") == [("e2",)]
    assert look("SELECT ref FROM grants") == [(free.ref,)]
    left = {
        name: look.one(f"SELECT count(*) FROM {name}") for name in ("rejects", "store")
    }
    assert left == {"rejects": 1, "store": 1}
    journal.write([Parcel(rejects=[Reject("mattermost", b"7", "no id")])])
    assert look.one("SELECT count(*) FROM rejects") == 2
