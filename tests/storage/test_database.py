"""The pool: transactions, dead sessions, and waits that end."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from malexbot.errors import Misconfigured, Transient
from malexbot.runtime.heart import Heart
from malexbot.storage import session
from malexbot.storage.database import Database, Fenced
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import DatabaseRefused
from malexbot.storage.session import Cursor, Session
from malexbot.storage.statement import Statement
from tests.crash import proxy as reading
from tests.storage.conftest import until
from tests.storage.proxy import Proxy
from tests.support.packages import give_up


def one(cursor: Cursor, query: str) -> object:
    cursor.execute(query)
    found = cursor.fetchone()
    assert found is not None
    return found[0]


@pytest.fixture
def pool(empty_database: Dsn) -> Iterator[Database]:
    with Database(empty_database, size=2, wait_s=0.2) as opened:
        yield opened


@pytest.fixture
def proxy(empty_database: Dsn) -> Iterator[Proxy]:
    with Proxy(empty_database).running() as running:
        yield running


def test_a_server_that_falls_silent_right_after_the_login_is_given_up(
    empty_database: Dsn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ANSWER_S", 0.3)
    with reading.Proxy(empty_database) as proxy:
        proxy.strike(reading.Strike(1, "before", proxy.hold, wrote="set_config"))
        with ThreadPoolExecutor(1) as threads:
            login = threads.submit(session.Session, proxy.dsn)
            try:
                assert isinstance(login.exception(timeout=10), Transient)
            finally:
                proxy.heal()


def test_a_block_that_ends_is_committed(pool: Database) -> None:
    with pool.transaction() as cursor:
        cursor.execute("CREATE TABLE kept (id integer)")
    with pool.transaction() as cursor:
        assert one(cursor, "SELECT count(*) FROM kept") == 0


def test_a_block_that_raises_is_rolled_back(pool: Database) -> None:
    with pytest.raises(KeyError):
        with pool.transaction() as cursor:
            cursor.execute("CREATE TABLE kept (id integer)")
            raise KeyError
    with pool.transaction() as cursor:
        assert one(cursor, "SELECT to_regclass('kept')") is None


def test_sessions_have_our_settings(pool: Database) -> None:
    with pool.transaction() as cursor:
        for name, value in {
            "statement_timeout": "30s",
            "TimeZone": "UTC",
            "client_encoding": "UTF8",
            "application_name": "malexbot",
        }.items():
            assert one(cursor, f"SHOW {name}") == value


def test_a_line_has_our_timeouts(proxy: Proxy) -> None:
    with Database(proxy.dsn) as pool, pool.transaction() as cursor:
        said = cursor.connection.info.dsn_parameters
    assert {k: said[k] for k in ("connect_timeout", "tcp_user_timeout")} == {
        "connect_timeout": "5",
        "tcp_user_timeout": "10000",
    }
    assert [said[f"keepalives_{k}"] for k in ("idle", "interval", "count")] == [
        "2",
        "1",
        "3",
    ]


def test_a_limit_holds_for_one_transaction(pool: Database) -> None:
    with pytest.raises(Transient, match="statement timeout"):
        with pool.transaction(limit_s=0.05) as cursor:
            cursor.execute("SELECT pg_sleep(5)")
    with pool.transaction() as cursor:
        assert one(cursor, "SHOW statement_timeout") == "30s"


def test_a_session_is_used_again(pool: Database) -> None:
    with pool.transaction() as cursor:
        first = one(cursor, "SELECT pg_backend_pid()")
    with pool.transaction() as cursor:
        assert one(cursor, "SELECT pg_backend_pid()") == first


def test_a_dead_session_is_noticed_before_use(pool: Database) -> None:
    with pool.transaction() as cursor:
        idle = one(cursor, "SELECT pg_backend_pid()")
        with pool.transaction() as other:
            other.execute("SELECT 1")
    with pool.transaction() as cursor:

        def is_alone() -> bool:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            return one(cursor, _OTHERS) == 0

        until(is_alone)
        with pool.transaction() as other:
            assert one(other, "SELECT pg_backend_pid()") != idle


_OTHERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_cut_line_is_transient_and_forgotten(proxy: Proxy) -> None:
    with Database(proxy.dsn, size=1) as pool:
        with pytest.raises(Transient):
            with pool.transaction() as cursor:
                proxy.cut()
                cursor.execute("SELECT 1")
        with pool.transaction() as cursor:
            assert one(cursor, "SELECT 1") == 1


def test_a_deaf_server_is_left(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ANSWER_S", 0.1)
    with Database(proxy.dsn, size=1) as pool:
        with pytest.raises(Transient):
            with pool.transaction(limit_s=0.1) as cursor:
                proxy.is_deaf.set()
                cursor.execute("SELECT 1")
        proxy.is_deaf.clear()
        with pool.transaction() as cursor:
            assert one(cursor, "SELECT 1") == 1


def test_a_full_pool_is_waited_for_and_then_transient(pool: Database) -> None:
    with pool.transaction(), pool.transaction():
        began = time.monotonic()
        with pytest.raises(Transient, match="all 2 database sessions were busy"):
            with pool.transaction():
                pass
        assert 0.2 <= time.monotonic() - began < 2
    with pool.transaction(), pool.transaction():
        pass


def test_a_failed_connect_gives_its_seat_back() -> None:
    with Database(Dsn(host="127.0.0.1", port=1), size=1, wait_s=0.1) as pool:
        for _ in range(3):
            with pytest.raises(Transient, match="refused"):
                with pool.transaction():
                    pass


def test_many_threads_share_a_few_sessions(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE sums (id integer)")
    few = Database(database.dsn, size=3)

    def write(number: int) -> None:
        with few.transaction() as cursor:
            cursor.execute("INSERT INTO sums VALUES (%s)", (number,))

    with few, ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(300)))
        with few.transaction() as cursor:
            assert one(cursor, "SELECT sum(id) FROM sums") == sum(range(300))
            assert one(cursor, _SESSIONS) <= 4  # type: ignore[operator]


_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def test_closing_ends_what_is_under_way(pool: Database) -> None:
    failed: list[Exception] = []
    inside = threading.Event()

    def work() -> None:
        try:
            with pool.transaction() as cursor:
                cursor.execute("SELECT 1")
                inside.set()
                cursor.execute("SELECT pg_sleep(60)")
        except Transient as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(5)
    pool.close()
    thread.join(5)
    assert failed
    pool.close()
    with pytest.raises(Transient, match="closed"):
        with pool.transaction():
            pass


def test_the_heart_rests_while_the_server_has_the_word(pool: Database) -> None:
    heart = Heart()
    seen: list[str | None] = []
    is_done = threading.Event()

    def work() -> None:
        heart.bind()
        with pool.transaction() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
            seen.append(heart.waits_for)
        is_done.set()

    thread = threading.Thread(target=work)
    thread.start()
    waited = set()
    while not is_done.wait(0.01):
        waited.add(heart.waits_for)
    thread.join()
    assert "the database" in waited
    assert seen == [None]


def test_a_stale_epoch_writes_nothing(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE kept (id integer)")
        cursor.execute("UPDATE daemon SET epoch = 7")
    with database.fenced_transaction(7) as cursor:
        cursor.execute("INSERT INTO kept VALUES (7)")
    with pytest.raises(Fenced):
        with database.fenced_transaction(6) as cursor:
            cursor.execute("INSERT INTO kept VALUES (6)")
    with database.transaction() as cursor:
        assert one(cursor, "SELECT array_agg(id) FROM kept") == [7]


@pytest.mark.slow
def test_a_host_that_vanishes_is_given_up_in_time(empty_database: Dsn) -> None:
    """By tcp_user_timeout of 10 s; the kernel's own patience is 15 minutes."""
    if not empty_database.host.startswith("/"):
        pytest.skip("a network of its own has no way to that server")
    inside = ["unshare", "--user", "--map-root-user", "--net", "--"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        give_up("this system allows no network namespace")
    done = subprocess.run(
        [*inside, sys.executable, "-m", "tests.storage.half_open"],
        input=json.dumps(empty_database.parameters()) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert 5 < float(done.stdout or done.stderr) < 15


def test_several_statements_at_once_are_one_transaction(
    database: Database,
) -> None:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE kept (id integer PRIMARY KEY)")
        cursor.execute("UPDATE daemon SET epoch = 7")
    twice = [
        Statement("keep_one", "INSERT INTO kept VALUES (1)"),
        Statement("keep_another", "INSERT INTO kept VALUES (%(id)s) RETURNING id"),
    ]
    kept = [Statement("kept", "SELECT id FROM kept")]
    with pytest.raises(DatabaseRefused):
        database.fenced_at_once(7, twice, {"id": 1})
    assert database.fenced_at_once(7, twice, {"id": 2}) == [(2,)]
    with pytest.raises(Fenced):
        database.fenced_at_once(6, twice, {"id": 3})
    assert database.fenced_at_once(7, kept, {}) == [(1,), (2,)]
    assert database.at_once(kept, {}) == [(1,), (2,)]


def test_a_statement_is_planned_once_by_each_session(empty_database: Dsn) -> None:
    product = Statement("product", "SELECT %(a)s * %(b)s::int * %(a)s::int")
    calls = "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
    for _ in range(2):
        session = Session(empty_database)
        for a in range(3):
            assert session.at_once([product], {"a": a, "b": 5}) == [(a * 5 * a,)]
        with session.transaction() as cursor:
            assert one(cursor, calls) == 3
        session.close()


def test_a_plan_that_failed_is_made_again(empty_database: Dsn) -> None:
    session = Session(empty_database)
    later = Statement("later", "SELECT count(*) FROM later")
    with pytest.raises(DatabaseRefused):
        session.at_once([later], {})
    with session.transaction() as cursor:
        cursor.execute("CREATE TABLE later ()")
    assert session.at_once([later], {}) == [(0,)]
    session.close()


def test_only_what_need_not_last_is_not_waited_for(database: Database) -> None:
    show = "SELECT current_setting('synchronous_commit')"
    shown = [Statement("show", show)]
    assert database.fenced_at_once(0, shown, {}, is_lasting=False) == [("off",)]
    assert database.fenced_at_once(0, shown, {}) == [("on",)]
    with database.transaction() as cursor:
        assert one(cursor, show) == "on"


def test_who_is_refused_after_being_let_in_waits_for_better_days(
    empty_database: Dsn,
) -> None:
    with Database(empty_database.named("nobody_made_this_one")) as never:
        with pytest.raises(Misconfigured), never.transaction():
            pass
    with Database(empty_database) as pool:
        with pool.transaction():
            pass
        pool.dsn = empty_database.named("nobody_made_this_one")
        for idle in pool._idle:
            idle.close()
        with pytest.raises(Transient, match="does not exist"), pool.transaction():
            pass
