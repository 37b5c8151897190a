"""The proxy before PostgreSQL strikes when it should, and else is not noticed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.session import Session
from malexbot.storage.statement import Statement
from tests.crash.proxy import Proxy
from tests.crash.strikes import Moment, Strike
from tests.support.threads import eventually


@pytest.fixture
def proxy(empty_database: Dsn) -> Iterator[Proxy]:
    with Database(empty_database) as database, database.transaction() as cursor:
        cursor.execute("CREATE TABLE numbers (n int)")
    with Proxy(empty_database) as proxy:
        yield proxy


def write(database: Database, number: int) -> None:
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO numbers VALUES (%s)", (number,))


def written(dsn: Dsn) -> list[int]:
    with Database(dsn) as database, database.transaction() as cursor:
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        return [n for (n,) in cursor.fetchall()]


def test_what_is_large_goes_through_unharmed(proxy: Proxy) -> None:
    text = "äb" * 500_000
    with Database(proxy.dsn) as database, database.transaction() as cursor:
        cursor.execute("SELECT %s", (text,))
        assert cursor.fetchone() == (text,)


@pytest.mark.parametrize(("moment", "kept"), [("before", [1, 2]), ("after", [1, 2, 3])])
def test_the_kth_commit_is_struck(
    proxy: Proxy, empty_database: Dsn, moment: Moment, kept: list[int]
) -> None:
    struck = threading.Event()
    with Database(proxy.dsn) as database:
        write(database, 1)
        proxy.strike(Strike(2, moment, struck.set, wrote="INSERT"))
        with database.transaction() as cursor:
            cursor.execute("SELECT 1")
        write(database, 2)
        assert not struck.is_set()
        with pytest.raises(Transient):
            write(database, 3)
        assert struck.is_set()
        assert written(empty_database) == kept
        write(database, 4)
    assert written(empty_database) == [*kept, 4]


@pytest.mark.parametrize(("moment", "kept"), [("before", [1]), ("after", [1, 2])])
def test_what_is_committed_in_one_round_trip_is_struck(
    proxy: Proxy, empty_database: Dsn, moment: Moment, kept: list[int]
) -> None:
    session = Session(proxy.dsn)
    proxy.strike(Strike(2, moment, wrote="INSERT"))
    look = Statement("look", "SELECT 1")
    insert = Statement("keep", "INSERT INTO numbers VALUES (%(n)s) RETURNING n")
    assert session.at_once([look, insert], {"n": 1}) == [(1,)]
    with pytest.raises(Transient):
        session.at_once([look, insert], {"n": 2})
    session.close()
    assert written(empty_database) == kept


def test_another_transaction_is_not_counted(proxy: Proxy) -> None:
    with Database(proxy.dsn) as database:
        proxy.strike(Strike(1, "before", wrote="DELETE"))
        write(database, 1)
        with pytest.raises(Transient), database.transaction() as cursor:
            cursor.execute("DELETE FROM numbers")


def test_a_commit_alone_counts_as_any(proxy: Proxy) -> None:
    with Database(proxy.dsn) as database:
        write(database, 1)
        proxy.strike(Strike(1, "before"))
        with pytest.raises(Transient), database.transaction() as cursor:
            cursor.execute("SELECT 1")


def test_a_cut_ends_every_session(proxy: Proxy, empty_database: Dsn) -> None:
    one, other = Session(proxy.dsn), Session(proxy.dsn)
    proxy.cut()
    eventually(lambda: one.is_dead and other.is_dead)
    one.close()
    other.close()
    with Database(proxy.dsn) as database:
        write(database, 1)
    assert written(empty_database) == [1]


def test_nobody_new_comes_in_while_it_refuses(proxy: Proxy) -> None:
    with Database(proxy.dsn) as database:
        write(database, 1)
        proxy.refuse()
        write(database, 2)
        proxy.cut()
        eventually(lambda: _fails(database))
        proxy.heal()
        write(database, 3)


def _fails(database: Database) -> bool:
    try:
        write(database, 0)
    except Transient:
        return True
    return False


def test_held_it_is_silent_and_the_server_does_not_know(
    proxy: Proxy, empty_database: Dsn
) -> None:
    session = Session(proxy.dsn)
    server_pid = session.server_pid
    proxy.hold()
    failed = threading.Event()

    def ask() -> None:
        try:
            with session.transaction() as cursor:
                cursor.execute("SELECT 1")
        except Transient:
            failed.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert not failed.wait(0.3)
    assert not session.is_dead
    proxy.heal()
    assert failed.wait(10)
    asking.join()
    session.close()
    with Database(empty_database) as database, database.transaction() as cursor:
        cursor.execute(
            "SELECT state FROM pg_stat_activity WHERE pid = %s", (server_pid,)
        )
        assert cursor.fetchone() == ("idle",)
    with Database(proxy.dsn) as database:
        write(database, 1)


def test_a_server_that_is_away_is_an_end_of_the_line(empty_database: Dsn) -> None:
    nobody = Dsn(host="/nowhere", dbname=empty_database.dbname, user="x")
    with Proxy(nobody) as proxy, pytest.raises(Transient):
        Session(proxy.dsn)
