"""One active daemon a database, and an old one that can write nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from malexbot.errors import Transient
from malexbot.runtime.heart import Heart
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database, Fenced
from malexbot.storage.dsn import Dsn
from malexbot.storage.keys import DAEMON
from malexbot.storage.leadership import Leadership, LostLeadership, find_holder
from malexbot.storage.migrate import migrate

TAKEOVER_S = 5.0


@pytest.fixture
def first(migrated_database: Dsn) -> Iterator[Leadership]:
    leadership = Leadership(migrated_database)
    yield leadership
    leadership.close()


@pytest.fixture
def second(migrated_database: Dsn) -> Iterator[Leadership]:
    leadership = Leadership(migrated_database)
    yield leadership
    leadership.close()


class Contender:
    """Another process that is the active daemon."""

    def __init__(self, how: str, dsn: Dsn) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.contender", how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin and self.process.stdout
        self._said = self.process.stdout
        self.process.stdin.write(json.dumps(dsn.parameters()) + "\n")
        self.process.stdin.flush()

    def hears(self) -> str:
        return self._said.readline().strip()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


@contextmanager
def contending(how: str, dsn: Dsn) -> Iterator[Contender]:
    contender = Contender(how, dsn)
    try:
        yield contender
    finally:
        contender.process.kill()
        contender.process.communicate()


def poll(question: Callable[[], bool], every_s: float, limit_s: float = 15) -> float:
    """How long it took until the answer was yes."""
    began, pause = time.monotonic(), Stop()
    while not question():
        assert time.monotonic() - began < limit_s
        pause.wait(every_s)
    return time.monotonic() - began


@pytest.fixture
def witness(database: Database) -> Database:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE witness (epoch bigint, how text)")
    return database


def written(database: Database, epoch: int) -> int:
    with database.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM witness WHERE epoch = %s", (epoch,))
        found = cursor.fetchone()
    assert found
    return int(found[0])


def test_the_heart_rests_while_another_thread_has_the_session(
    first: Leadership,
) -> None:
    assert first.try_take()
    heart = Heart()

    def write() -> None:
        heart.bind()
        with first.transaction() as cursor:
            cursor.execute("SELECT 1")

    writer = threading.Thread(target=write)
    with first.transaction():
        writer.start()
        poll(lambda: heart.waits_for == "the session of the lock", every_s=0.01)
    writer.join()
    assert heart.waits_for is None


def test_only_one_gets_it(first: Leadership, second: Leadership) -> None:
    assert first.try_take()
    assert not second.try_take()
    assert first.try_take()
    assert first.epoch == 1
    first.close()
    assert second.try_take()
    assert second.epoch == 2


def test_the_timeline_of_the_server_is_known(
    first: Leadership, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    assert first.try_take()
    assert int(first.timeline, 16) >= 1
    # As after a failover.
    monkeypatch.setattr("malexbot.storage.leadership._TIMELINE", "SELECT '000000FF'")
    end_daemons(database)
    with pytest.raises(LostLeadership):
        first.keep()
    assert first.try_take()
    assert first.timeline == "000000FF"


def test_a_server_that_tells_no_timeline_will_do(
    first: Leadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.storage.leadership._TIMELINE", "SELECT nobody()")
    assert first.try_take()
    assert (first.epoch, first.timeline) == (1, "")


def test_the_standby_knows_the_active_one(
    first: Leadership, second: Leadership, database: Database
) -> None:
    assert second.holder() is None
    first.try_take()
    holder = second.holder()
    assert holder is not None
    assert holder.pid == os.getpid()
    assert f"pid {os.getpid()} on " in str(holder)
    with database.transaction() as cursor:
        assert find_holder(cursor) == holder
    first.close()
    assert second.holder() is None


def test_databases_do_not_see_each_others_daemon(
    first: Leadership, empty_database: Dsn
) -> None:
    first.try_take()
    with Database(empty_database) as other:
        migrate(other)
    neighbour = Leadership(empty_database)
    try:
        assert neighbour.try_take()
    finally:
        neighbour.close()


def test_without_the_lock_nothing_is_written(first: Leadership) -> None:
    with pytest.raises(LostLeadership):
        first.keep()
    with pytest.raises(LostLeadership):
        with first.transaction():
            pass
    with pytest.raises(LostLeadership):
        assert first.epoch


def test_a_lost_session_is_noticed_and_retaken(
    first: Leadership, database: Database
) -> None:
    first.try_take()
    first.keep()
    end_daemons(database)
    with pytest.raises(LostLeadership):
        first.keep()
    with pytest.raises(LostLeadership):
        assert first.epoch
    assert first.try_take()
    assert first.epoch == 2


def test_who_finds_the_lock_taken_steps_down(
    first: Leadership, second: Leadership, database: Database
) -> None:
    first.try_take()
    end_daemons(database)
    assert second.try_take()
    with pytest.raises(LostLeadership):
        with first.transaction() as cursor:
            cursor.execute("SELECT 1")
    assert not first.try_take()


DAEMONS = (
    "FROM pg_stat_activity WHERE application_name = 'malexbot daemon'"
    " AND datname = current_database()"
)


def end_daemons(database: Database) -> None:
    """Come back when their sessions, and so their locks, are gone."""

    def are_gone() -> bool:
        with database.transaction() as cursor:
            cursor.execute(f"SELECT count(pg_terminate_backend(pid)) {DAEMONS}")
            return cursor.fetchone() == (0,)

    poll(are_gone, 0.01)


def test_a_running_fenced_writer_is_waited_for(
    first: Leadership, second: Leadership, witness: Database
) -> None:
    first.try_take()
    inside, ends = threading.Event(), threading.Event()

    def write() -> None:
        with witness.fenced_transaction(1) as cursor:
            inside.set()
            ends.wait(5)
            cursor.execute("INSERT INTO witness VALUES (1, 'in time')")

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(5)
    end_daemons(witness)
    threading.Timer(0.2, ends.set).start()
    assert second.try_take()
    assert written(witness, 1) == 1
    writer.join()


def test_a_fenced_writer_that_does_not_end_is_ended(
    first: Leadership, second: Leadership, witness: Database
) -> None:
    first.try_take()
    with pytest.raises(Transient):
        with witness.fenced_transaction(1) as cursor:
            end_daemons(witness)
            assert second.try_take()
            cursor.execute("INSERT INTO witness VALUES (1, 'too late')")
    with pytest.raises(Fenced):
        with witness.fenced_transaction(1):
            pass
    assert written(witness, 1) == 0


def test_a_session_at_work_needs_no_ping(first: Leadership) -> None:
    first.try_take()
    with first.transaction():
        first.keep()


def test_a_command_that_holds_the_lock_is_left_alone(
    second: Leadership, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.storage.leadership.SILENT_S", 0.1)
    with database.transaction() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", DAEMON)
        for _ in range(3):
            assert not Stop().wait(0.1)
            assert not second.try_take()
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", DAEMON)


def test_a_pinging_daemon_keeps_the_lock(
    first: Leadership, second: Leadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.storage.leadership.SILENT_S", 0.5)
    first.try_take()
    for _ in range(8):
        first.keep()
        assert not second.try_take()
        Stop().wait(0.1)
    first.keep()


def test_a_killed_daemon_is_replaced_at_once(
    witness: Database, second: Leadership
) -> None:
    with contending("busy", witness.dsn) as active:
        assert active.hears() == "active 1"
        assert not second.try_take()
        active.send(signal.SIGKILL)
        assert poll(second.try_take, 0.05) < 1
    assert second.epoch == 2


@pytest.mark.parametrize(("how", "told"), [("fenced", "inside"), ("copy", "copying")])
def test_a_daemon_stopped_in_a_transaction_is_replaced(
    how: str, told: str, witness: Database, second: Leadership
) -> None:
    with contending(how, witness.dsn) as active:
        assert active.hears() == "active 1"
        assert active.hears() == told
        assert not second.try_take()
        active.send(signal.SIGSTOP)
        assert poll(second.try_take, 1.0) < TAKEOVER_S
    assert written(witness, 1) == 0


def test_a_stopped_daemon_writes_nothing_when_it_goes_on(
    witness: Database, second: Leadership
) -> None:
    with contending("busy", witness.dsn) as active:
        assert active.hears() == "active 1"
        poll(lambda: written(witness, 1) > 4, 0.02)
        active.send(signal.SIGSTOP)
        assert poll(second.try_take, 1.0) < TAKEOVER_S
        before = written(witness, 1)
        active.send(signal.SIGCONT)
        assert active.hears() == "lost"
        assert active.hears() == "fenced"
        assert written(witness, 1) == before
        second.keep()
