"""How the people of the archive are called."""

from __future__ import annotations

import pytest

from malexbot.events import User
from malexbot.ports import Parcel
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.people import KnownPerson, find_people, names, people_names
from tests.storage.conftest import Look
from tests.storage.happenings import (
    edited,
    happening,
    kept,
    old_version,
    passing,
    post,
    posted,
    reacted,
)

NAMES = "SELECT user_id, name FROM people ORDER BY user_id"
# Another transaction's id: the row was written anew.
WRITTEN = "SELECT xmin FROM people"


def by(user_id: str, nick: str | None, post_id: str = "p1") -> Parcel:
    about = post(post_id, user_id=user_id)
    return kept(posted(about, user=User(user_id, nick=nick)))


def test_who_writes_a_kept_post_is_known_by_name(
    journal: DatabaseJournal, look: Look, database: Database
) -> None:
    journal.write([by("u1", "alice"), by("u2", "bob", "p2"), by("u3", None, "p3")])
    assert look(NAMES) == [("u1", "alice"), ("u2", "bob")]
    with database.transaction() as cursor:
        assert names(cursor) == {"u1": "alice", "u2": "bob"}


def test_a_name_is_written_once_and_again_when_it_is_another(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([by("u1", "alice")])
    first = look.one(WRITTEN)
    journal.write([by("u1", "alice", "p2")])
    assert look.one(WRITTEN) == first
    journal.write([by("u1", "alicia", "p3")])
    assert look(NAMES) == [("u1", "alicia")]
    DatabaseJournal.write(journal, [by("u1", "alicia", "p4")])
    assert look(NAMES) == [("u1", "alicia")]


def test_who_wrote_nothing_that_is_kept_stays_unknown(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([passing(posted(post()), happening("typing", None, event_id="1:1"))])
    journal.write([kept(happening("user_added", None, event_id="1:2"))])
    journal.write([passing(reacted("unknown"))])
    assert look(NAMES) == []


def test_who_marks_or_edits_a_kept_post_is_known(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([by("u1", None)])
    journal.write([passing(reacted("p1")._replace(user=User("u2", nick="bob")))])
    assert look(NAMES) == [("u2", "bob")]
    old = old_version("p1", "before", 0, 2000)._replace(user=User("u1", nick="alice"))
    journal.write([kept(old, edited(post("p1", edit_at=2000)))])
    assert look(NAMES) == [("alice", "alice"), ("u1", "alice"), ("u2", "bob")]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "a\tb\\", "x" * 3000])
def test_a_name_holds_no_post_up(
    name: str, journal: DatabaseJournal, look: Look
) -> None:
    journal.write([by("u1", name)])
    assert look.one("SELECT count(*) FROM posts") == 1
    assert look.one("SELECT count(*) FROM people") == 1


def test_what_is_rolled_back_is_written_again(
    journal: DatabaseJournal, look: Look
) -> None:
    look("ALTER TABLE people RENAME TO hidden")
    with pytest.raises(Exception, match="people"):
        journal.write([by("u1", "alice")])
    look("ALTER TABLE hidden RENAME TO people")
    journal.write([by("u1", "alice")])
    assert look(NAMES) == [("u1", "alice")]


def test_people_are_found_by_name_or_id(
    journal: DatabaseJournal, database: Database
) -> None:
    journal.write([by("u1", "alice"), by("bob", "Anna", "p2"), by("u3", "bob", "p3")])
    journal.write([by("u4", None, "p4")])
    alice, anna = KnownPerson("u1", "alice"), KnownPerson("bob", "Anna")
    for text in ("alice", "@alice", " Alice ", "u1"):
        assert find_people(database, text) == [alice]
    assert find_people(database, "bob") == [anna]
    assert find_people(database, "u4") == [KnownPerson("u4", "")]
    assert find_people(database, "nobody") == []
    assert people_names(database) == ["Anna", "alice", "bob"]
    assert str(alice) == "alice (u1)"
