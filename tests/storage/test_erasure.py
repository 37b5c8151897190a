"""How a person is erased, beside a daemon and after a crash."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.events import Peer, Post, User
from malexbot.ports import Effect, Parcel, Put, Reject
from malexbot.storage import erasure as module
from malexbot.storage.database import Database
from malexbot.storage.erasure import Erasure
from malexbot.storage.indexing import Indexing
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.outbox import Outbox
from malexbot.storage.session import Cursor
from malexbot.storage.tables import find_tables
from malexbot.storage.wire import from_json
from tests.storage.conftest import Look, until
from tests.storage.filed import with_files
from tests.storage.happenings import (
    acted_on,
    edited,
    kept,
    passing,
    post,
    posted,
    reacted,
)
from tests.storage.interacting import grant

BOB = User("bob", nick="bob")
SECRET = "kumquat"

# Tables that hold nothing that a person said, or is called; a new table belongs to
# these, or among those that an erasure empties.
WITHOUT_CONTENT = {
    *("channels", "connections", "daemon", "feeds", "gaps", "erased", "unindexed"),
    *("grant_uses", "commands", "answer_ways"),
    *("contents", "unfiled"),
}


def erasure(database: Database, user_id: str = "alice") -> Erasure:
    return Erasure(database, "mattermost", user_id)


def erase(database: Database, user_id: str = "alice") -> None:
    erasure(database, user_id).erase(lambda _: None)


def everywhere(cursor: Cursor, text: str) -> list[str]:
    """The tables that have this in some row, whatever its columns are."""
    found = []
    for table in find_tables(cursor):
        cursor.execute(
            f"SELECT count(*) FROM {table.name} t WHERE position(%s IN t::text) > 0"
            " OR position(encode(convert_to(%s, 'UTF8'), 'hex') IN t::text) > 0",
            (text, text),
        )
        if cursor.fetchone() != (0,):
            found.append(table.name)
    return found


def by_bob(event_post: str = "p9", text: str = "fine") -> Parcel:
    return kept(posted(post(event_post, text, user_id="bob"), user=BOB))


@pytest.fixture
def full(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> DatabaseJobs:
    """An archive with something of alice in each table, and something of bob."""
    journal.write([by_bob()])
    journal.write([kept(posted(post("p1", f"{SECRET} one")), reacted("p9", SECRET))])
    journal.write([kept(edited(post("p1", f"{SECRET} two", edit_at=2000)))])
    journal.write([passing(edited(post("p3", SECRET, edit_at=2000)))])
    journal.write([acted_on(posted(post("p4", SECRET)), posted(post("p5", SECRET)))])
    raw = b'{"user_id": "alice", "message": "%s", "id": 5}' % SECRET.encode()
    journal.write([Parcel(rejects=[Reject("mattermost", raw, "no id")])])
    journal.write([Parcel(rejects=[Reject("mattermost", b"other", "no id")])])
    alice = User("alice", nick=f"{SECRET}-alice")
    journal.write([kept(posted(with_files("p6", f"{SECRET}file"), user=alice))])
    jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=60)
    payload = {"text": f"you said {SECRET}"}
    button = grant(payload={"about": SECRET})
    puts = [
        Put("standup", "2026-01-31/alice", SECRET),
        Put("rota", "all", [{"by": "alice", "said": SECRET}, {"by": "bob"}]),
    ]
    told = Effect(kind="post", target="c", payload=payload, grants=[button])
    jobs.finish(job, [told], writes=puts)
    Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0).catch_up()
    return jobs


@pytest.mark.usefixtures("full")
def test_nothing_of_theirs_is_left_in_any_table(database: Database) -> None:
    with database.transaction() as cursor:
        names = {table.name for table in find_tables(cursor)}
        assert {*everywhere(cursor, SECRET)} == names - WITHOUT_CONTENT
    erase(database)
    with database.transaction() as cursor:
        assert everywhere(cursor, SECRET) == []
        # Of the id nothing but the note that keeps it away, and who marked a post.
        assert everywhere(cursor, "alice") == ["erased"]


@pytest.mark.usefixtures("full")
def test_what_others_said_stays(database: Database, look: Look) -> None:
    erase(database)
    assert look("SELECT id FROM posts") == [("p9",)]
    assert look("SELECT post_id FROM post_words") == [("p9",)]
    assert look("SELECT user_id FROM people") == [("bob",)]
    assert bytes(look.one("SELECT raw FROM rejects")) == b"other"
    assert look("SELECT key, value FROM store") == [("all", [{"by": "bob"}])]


@pytest.mark.usefixtures("full")
def test_it_counts_what_it_will_erase_and_then_nothing(database: Database) -> None:
    counts = erasure(database).count()
    assert counts == {
        "posts": 2,
        "earlier versions": 1,
        "reactions": 1,
        "reactions to their posts": 0,
        "files": 1,
        "words in the index": 2,
        "echoes": 1,
        "jobs": 2,
        "rejects": 1,
        "names": 1,
        "buttons and dialogs": 1,
        "values that plugins keep": 2,
    }
    assert not erasure(database).is_known
    erase(database)
    assert erasure(database).is_known
    assert set(erasure(database).count().values()) == {0}


@pytest.mark.usefixtures("full")
def test_who_was_cut_off_is_done_by_doing_it_again(
    database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 1)

    class Killed(BaseException):
        pass

    def die(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        erasure(database).erase(die)
    assert look.one("SELECT count(*) FROM posts WHERE user_id = 'alice'") == 1
    assert look.one("SELECT count(*) FROM people WHERE user_id = 'alice'") == 1
    erase(database)
    erase(database)
    assert set(erasure(database).count().values()) == {0}


def test_a_job_that_ends_meanwhile_leaves_nothing_to_send(
    full: DatabaseJobs, database: Database, look: Look
) -> None:
    """Its end has begun, and is committed only when the erasure waits for it."""
    (job,) = full.claim(kinds=["run"], limit=1, lease_s=60)
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE jobs SET state = 'done', finished_at = now() WHERE id = %s",
            (job.id,),
        )
        cursor.execute(
            "INSERT INTO jobs (kind, name, lane, parent, number, payload)"
            " VALUES ('post', 'c', 'c', %s, 0, to_json(%s::text))",
            (job.id, SECRET),
        )
        eraser = threading.Thread(target=erase, args=(database,))
        eraser.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: look.one(waiting) > 0)
    eraser.join()
    assert look.one("SELECT count(*) FROM jobs") == 0


def test_the_index_that_is_written_meanwhile_knows_nothing_of_it(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    """It has read the text, and writes it when the post is on its way out."""
    journal.write([kept(posted(post("p1", SECRET)))])
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM post_words WHERE post_id = 'p1'")
        cursor.execute(
            "INSERT INTO post_words SELECT id, create_at, to_tsvector(message)"
            " FROM posts"
        )
        eraser = threading.Thread(target=erase, args=(database,))
        eraser.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: look.one(waiting) > 0)
    eraser.join()
    assert look("SELECT * FROM post_words") == []


def test_the_json_of_others_posts_forgets_who_marked_them(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    mark = {"user_id": "alice", "emoji_name": SECRET}
    other = {"user_id": "bob", "emoji_name": "tada"}
    raw = json.dumps({"id": "p9", "metadata": {"reactions": [mark, other]}})
    before = post("p9", user_id="bob")._replace(raw=raw)
    after = post("p9", user_id="bob", edit_at=2000)._replace(raw=raw)
    journal.write([kept(posted(before, user=BOB)), kept(edited(after, user=BOB))])
    erase(database)
    rest = {"id": "p9", "metadata": {"reactions": [other]}}
    for table in ("posts", "post_versions"):
        assert json.loads(look.one(f"SELECT raw FROM {table}")) == rest
    again = post("p9", user_id="bob", edit_at=3000)._replace(raw=raw)
    journal.write([kept(edited(again, user=BOB))])
    assert look("SELECT count(*) FROM posts WHERE edit_at = 3000") == [(1,)]
    assert json.loads(look.one("SELECT raw FROM posts")) == rest


def linking(*embeds: object, post_id: str = "p9", edit_at: int = 0) -> Post:
    """A post of bob, to which the server adds previews of those that it links to."""
    raw = json.dumps({"id": post_id, "metadata": {"embeds": embeds}})
    return post(post_id, user_id="bob", edit_at=edit_at)._replace(raw=raw)


def preview(user_id: str, **more: object) -> dict[str, object]:
    told = {"user_id": user_id, "message": f"of {user_id}", **more}
    return {"type": "permalink", "data": {"post_id": "p1", "post": told}}


def test_the_json_of_others_posts_forgets_the_previews_of_theirs(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    other = {"type": "link", "url": "https://example.org"}
    mark = {"user_id": "alice", "emoji_name": SECRET}
    marked = preview("carol", metadata={"reactions": [mark]})
    embeds = (preview("alice"), other, preview("bob"), marked)
    left = [other, preview("bob"), preview("carol", metadata={"reactions": []})]
    journal.write([kept(posted(linking(*embeds), user=BOB))])
    journal.write([kept(edited(linking(*embeds, edit_at=2000), user=BOB))])
    erase(database)
    journal.write([kept(posted(linking(*embeds, post_id="p8"), user=BOB))])
    for table in ("posts", "post_versions"):
        for (raw,) in look(f"SELECT raw FROM {table}"):
            assert json.loads(raw)["metadata"]["embeds"] == left
    assert look.one("SELECT count(*) FROM posts") == 2


def test_a_job_of_others_forgets_them_and_stays(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    journal.write([acted_on(posted(linking(preview("alice")), user=BOB))])
    assert SECRET not in look.one("SELECT event FROM jobs")
    assert "of alice" in look.one("SELECT event FROM jobs")
    assert erasure(database).count()["jobs"] == 0
    erase(database)
    (told,) = look("SELECT event FROM jobs")
    assert "of alice" not in told[0]
    assert from_json(told[0]).user == BOB


def test_a_job_with_a_nul_in_its_event_is_judged_as_any_other(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    title = {"title": "before\0after alice"}
    theirs = posted(post("p1"), peer=Peer("c", "c", "a\0b"))
    others = posted(post("p2", user_id="bob"), user=BOB, data=title)
    journal.write([acted_on(theirs, others)])
    assert look.one("SELECT count(*) FROM jobs WHERE position('0000' IN event) > 0")
    assert erasure(database).count()["jobs"] == 1
    erase(database)
    assert look("SELECT event_id FROM jobs") == [("p2",)]


def test_a_job_that_nobody_can_read_any_more_goes_if_it_names_them(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    journal.write([acted_on(posted(post("p1", user_id="bob"), user=BOB))])
    look("UPDATE jobs SET event = '[0, \"alice\"]'")
    erase(database)
    assert look("SELECT * FROM jobs") == []


def test_an_edit_that_comes_meanwhile_keeps_no_mark_of_theirs(
    journal: DatabaseJournal,
    database: Database,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it replaces, a post that was not looked through yet, is a version now."""
    journal.write([kept(posted(linking(preview("alice")), user=BOB))])
    looked_through = Erasure._unmark

    def unmark(self: Erasure, table: str) -> int:
        if table == "posts":
            journal.write([kept(edited(linking(edit_at=2000), user=BOB))])
        return looked_through(self, table)

    monkeypatch.setattr(Erasure, "_unmark", unmark)
    erase(database)
    with database.transaction() as cursor:
        assert everywhere(cursor, "of alice") == []
    assert look.one("SELECT count(*) FROM post_versions") == 1


def test_who_never_wrote_anything_can_be_kept_out(
    journal: DatabaseJournal, database: Database, look: Look
) -> None:
    erase(database, "bob")
    journal.write([by_bob()])
    assert look("SELECT * FROM posts") == []


def test_what_may_be_pressed_stays_for_others_and_is_never_everybodys(
    database: Database, look: Look
) -> None:
    """Nobody who is named would be everybody."""
    ours = grant(users=("bob", "alice"))
    theirs = [
        grant(users=("alice",)),
        grant(users=("alice", "alice")),
        grant(payload={"for": {"who": ["alice"]}}),
        grant(options=("bob", "alice")),
    ]
    free = grant()
    Outbox(database).put("mattermost:c1", [{}], granted=[ours, *theirs, free])
    assert erasure(database).count()["buttons and dialogs"] == 5
    erase(database)
    left = look("SELECT ref, users FROM grants ORDER BY ref")
    assert left == [(ours.ref, ["bob"]), (free.ref, [])]


def test_a_value_that_is_written_meanwhile_is_looked_at_again(
    full: DatabaseJobs, database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plugin made of it in the meantime is not written over."""
    values = Erasure._values

    def then_written(self: Erasure) -> Iterator[dict[str, Any]]:
        for value in values(self):
            look("UPDATE store SET version = DEFAULT")
            yield value

    with monkeypatch.context() as patch:
        patch.setattr(Erasure, "_values", then_written)
        erase(database)
    assert erasure(database).count()["values that plugins keep"] == 2
    erase(database)
    assert erasure(database).count()["values that plugins keep"] == 0
