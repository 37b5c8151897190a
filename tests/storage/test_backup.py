"""Backup, restore and move: everything arrives, or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from io import BytesIO

import pytest

from malexbot.errors import MalexbotError, Permanent
from malexbot.ports import KeptCommand
from malexbot.storage import restore
from malexbot.storage.backup import write_backup
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.grants import DatabaseGrants
from malexbot.storage.leadership import Leadership
from malexbot.storage.migrate import Migration, known_migrations, migrate
from malexbot.storage.move import move
from malexbot.storage.outbox import Outbox
from malexbot.storage.restore import read_backup
from malexbot.storage.store import DatabaseStore
from malexbot.storage.tables import drop_all
from tests.storage.interacting import grant
from tests.support.postgres import Server

# What a later schema may bring: references, odd names, sequences, computed columns.
LATER = Migration(
    known_migrations()[-1].number + 1,
    "later",
    """
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE "a child" (id bigserial PRIMARY KEY, parent bigint, mood mood);
    CREATE TABLE "up & Down" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "the text" text,
        gone text, size integer GENERATED ALWAYS AS (length("the text")) STORED);
    ALTER TABLE "up & Down" DROP COLUMN gone;
    ALTER TABLE "a child" ADD FOREIGN KEY (parent) REFERENCES "up & Down";
    CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE VIEW moods AS SELECT mood FROM "a child";
    """,
)
STEPS = (*known_migrations(), LATER)
TEXTS = ["", "\\.", "line\nline\r\n\ttab", "кот 🐈", "\\N", None, "x" * 100_000]


def quiet(_: str) -> None:
    pass


def fill(database: Database) -> None:
    migrate(database, None, STEPS)
    with database.transaction() as cursor:
        for text in TEXTS:
            cursor.execute('INSERT INTO "up & Down" ("the text") VALUES (%s)', (text,))
        cursor.execute('INSERT INTO "a child" (parent) SELECT id FROM "up & Down"')
        cursor.execute("UPDATE daemon SET epoch = 41")


def content(database: Database) -> list[object]:
    with database.transaction() as cursor:
        cursor.execute('SELECT id, "the text", size FROM "up & Down" ORDER BY id')
        rows: list[object] = [*cursor.fetchall()]
        cursor.execute('SELECT * FROM "a child" ORDER BY id')
        rows += cursor.fetchall()
        cursor.execute("SELECT epoch FROM daemon")
        rows += cursor.fetchall()
        cursor.execute("SELECT number, name FROM schema_version ORDER BY number")
        rows += cursor.fetchall()
    return rows


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "known_migrations", lambda: STEPS)


@pytest.fixture
def full(database: Database, later: None) -> Database:
    fill(database)
    return database


@pytest.fixture
def target(empty_database: Dsn) -> Iterator[Database]:
    with Database(empty_database) as opened:
        yield opened


def backed_up(database: Database) -> bytes:
    sink = BytesIO()
    write_backup(database, sink, tell=quiet)
    return sink.getvalue()


def test_what_was_backed_up_is_restored(full: Database, target: Database) -> None:
    told: list[str] = []
    rows = read_backup(target, BytesIO(backed_up(full)), tell=told.append)
    assert content(target) == content(full)
    assert rows == 2 * len(TEXTS) + 1
    assert told[0].startswith("a backup of 2")
    assert {"up & Down: 7 rows", "daemon: 1 row", "a child: 7 rows"} <= set(told)
    assert told.index("up & Down: 7 rows") < told.index("a child: 7 rows")


def test_sequences_go_on_where_they_were(full: Database, target: Database) -> None:
    read_backup(target, BytesIO(backed_up(full)), tell=quiet)
    with target.transaction() as cursor:
        for table in ('"up & Down"', '"a child"'):
            cursor.execute(f"INSERT INTO {table} DEFAULT VALUES RETURNING id")
            assert cursor.fetchone() == (len(TEXTS) + 1,)


def test_a_fresh_database_takes_a_backup(full: Database, target: Database) -> None:
    """Even of an older schema than the one that its first start has made."""
    migrate(target, None, STEPS)
    read_backup(target, BytesIO(backed_up(full)), tell=quiet)
    assert content(target) == content(full)


def test_an_older_backup_is_brought_to_our_schema(
    database: Database, target: Database, later: None
) -> None:
    old = backed_up(database)
    migrate(target, None, STEPS)
    read_backup(target, BytesIO(old), tell=quiet)
    assert content(target)[-1] == (LATER.number, "later")


def test_all_of_ours_can_be_dropped(full: Database) -> None:
    with full.transaction() as cursor:
        drop_all(cursor)
    assert migrate(full, None, STEPS) == len(STEPS)


def refused(target: Database, stream: bytes) -> str:
    with pytest.raises(Permanent) as caught:
        read_backup(target, BytesIO(stream), tell=quiet)
    with target.transaction() as cursor:
        cursor.execute("SELECT to_regclass('daemon')")
        assert cursor.fetchone() == (None,)
    return str(caught.value)


def test_a_cut_backup_changes_nothing(full: Database, target: Database) -> None:
    whole = backed_up(full)
    header = whole.index(b"\n") + 1
    for length in (header, header + 5, len(whole) // 2, len(whole) - 1):
        assert "cut off" in refused(target, whole[:length])


def test_a_damaged_backup_changes_nothing(full: Database, target: Database) -> None:
    whole = backed_up(full)
    assert "damaged" in refused(target, whole.replace(b"line\\n", b"lime\\n"))
    trailer = whole.rindex(b"{")
    assert "damaged" in refused(target, whole[:trailer] + b"{}\n")
    assert "damaged" in refused(target, whole[:trailer] + b"?\n")


@pytest.mark.parametrize("junk", [b"", b"\n", b"[]\n", b"{}\n", b"\xff" * 99 + b"\n"])
def test_something_else_is_refused(target: Database, junk: bytes) -> None:
    assert refused(target, junk) == "this is no backup of malexbot"


@pytest.mark.parametrize("change", [{"format": 2}, {"schema": 9999}])
def test_a_newer_backup_is_refused(
    full: Database, target: Database, change: dict[str, int]
) -> None:
    first, _, rest = backed_up(full).partition(b"\n")
    newer = json.dumps(json.loads(first) | change).encode() + b"\n" + rest
    assert "which is newer: install" in refused(target, newer)


def test_a_database_that_is_not_empty_is_refused(
    full: Database, target: Database
) -> None:
    whole = backed_up(full)
    before = content(full)
    with pytest.raises(Permanent, match="not empty"):
        read_backup(full, BytesIO(whole), tell=quiet)
    assert content(full) == before


def test_a_database_of_others_is_refused(full: Database, target: Database) -> None:
    with target.transaction() as cursor:
        cursor.execute("CREATE TABLE theirs (id integer)")
    assert "table theirs" in refused(target, backed_up(full))


def test_a_database_with_a_daemon_is_refused(full: Database, target: Database) -> None:
    migrate(target, None, STEPS)
    active = Leadership(target.dsn)
    try:
        assert active.try_take()
        with pytest.raises(Permanent, match=r"in use by pid \d+ on .*: stop it first"):
            read_backup(target, BytesIO(backed_up(full)), tell=quiet)
    finally:
        active.close()


def test_an_unused_database_is_not_backed_up(target: Database) -> None:
    with pytest.raises(Permanent, match="nothing to back up"):
        backed_up(target)


def test_a_backup_is_one_moment(full: Database) -> None:
    """What is committed while it is written is not in it."""

    class Nosy(BytesIO):
        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            if self.tell() == 0:
                with full.transaction() as cursor:
                    cursor.execute('DELETE FROM "a child"')
                    cursor.execute('DELETE FROM "up & Down"')
            return super().write(data)

    sink = Nosy()
    assert write_backup(full, sink, tell=quiet) == 2 * len(TEXTS) + 1


def test_a_sink_that_fails_is_told(full: Database) -> None:
    class Full(BytesIO):
        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            if self.tell() > 1000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    with pytest.raises(OSError, match="No space left"):
        write_backup(full, Full(), tell=quiet)
    assert content(full)


def test_a_move_is_both(full: Database, target: Database) -> None:
    told: list[str] = []
    assert move(full, target, tell=told.append) == 2 * len(TEXTS) + 1
    assert content(target) == content(full)
    assert "up & Down: 7 rows" in told


def test_what_can_be_pressed_and_is_kept_goes_on_after_a_move(
    database: Database, target: Database
) -> None:
    one, other = (grant(choice="c") for _ in range(2))
    Outbox(database).put("mattermost:c1", [{}], granted=[one, other])
    assert DatabaseGrants(database).take(one.ref, event_id="e1")
    command = KeptCommand.of(id="c1", team_id="t1", trigger="ask", token="secret")
    DatabaseCommands(database).keep(command)
    write = "INSERT INTO store (space, key, value) VALUES ('rota', '{}', '1')"
    with database.transaction() as cursor:
        cursor.execute(write.format("old"))
    move(database, target, tell=quiet)
    grants, store = DatabaseGrants(target), DatabaseStore(target)
    assert grants.take(one.ref, event_id="e1")
    assert not grants.take(other.ref, event_id="e2")
    assert DatabaseCommands(target).all() == [command]
    with target.transaction() as cursor:
        cursor.execute(write.format("new"))
    versions = [store.read("rota", key).version for key in ("old", "new")]
    assert versions[0] < versions[1]


def test_a_move_under_a_daemon_is_refused(full: Database, target: Database) -> None:
    active = Leadership(full.dsn)
    try:
        assert active.try_take()
        with pytest.raises(Permanent, match="in use by pid"):
            move(full, target, tell=quiet)
    finally:
        active.close()
    with target.transaction() as cursor:
        cursor.execute("SELECT to_regclass('daemon')")
        assert cursor.fetchone() == (None,)


def test_a_move_to_a_full_database_is_refused(full: Database, postgres: Server) -> None:
    other = postgres.migrated()
    try:
        with Database(other) as target:
            fill(target)
            with pytest.raises(MalexbotError, match="not empty"):
                move(full, target, tell=quiet)
    finally:
        postgres.drop(other)


def test_the_checksum_is_of_all_that_stands_before_it(full: Database) -> None:
    body, _, trailer = backed_up(full).rstrip(b"\n").rpartition(b"\n")
    expected = hashlib.sha256(body + b"\n").hexdigest()
    assert json.loads(trailer)["sha256"] == expected
