"""Servers and databases that are refused, each with the way out."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from malexbot.errors import Misconfigured
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.stop import Stop
from malexbot.storage.binaries import Owner
from malexbot.storage.check import check_server, check_version
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership
from malexbot.storage.migrate import migrate
from tests.support.packages import need
from tests.support.postgres import Server

Pooler = Callable[..., Dsn]


def check(dsn: Dsn) -> None:
    with Database(dsn) as database:
        check_server(database)


def refusal(dsn: Dsn) -> str:
    with pytest.raises(Misconfigured) as caught:
        check(dsn)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_server_passes(empty_database: Dsn, database: Database) -> None:
    check(empty_database)
    check_server(database)


def test_an_old_server_is_refused() -> None:
    check_version(130000)
    with pytest.raises(Misconfigured, match="PostgreSQL 12 is too old: upgrade"):
        check_version(120022)


def test_another_encoding_is_refused(postgres: Server) -> None:
    bad = postgres.create("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        message = refusal(bad)
        postgres.execute(message.partition("superuser: ")[2].partition(";")[0])
        good = bad.named(f"{bad.dbname}_utf8")
        check(good)
        postgres.drop(good)
    finally:
        postgres.drop(bad)
    assert "keeps text as SQL_ASCII" in message


@pytest.fixture
def guest(postgres: Server, empty_database: Dsn) -> Iterator[Dsn]:
    """A role that owns nothing."""
    postgres.execute("CREATE ROLE \"the guest\" LOGIN PASSWORD 'geheim'")
    yield replace(empty_database, user="the guest", password="geheim")
    postgres.execute('DROP OWNED BY "the guest"')
    postgres.drop(empty_database)
    postgres.execute('DROP ROLE "the guest"')


def way_out(message: str) -> str:
    return message.rpartition(": ")[2]


def as_owner(dsn: Dsn, statement: str) -> None:
    with Database(dsn) as database, database.transaction() as cursor:
        cursor.execute(statement)


def test_too_few_rights_are_refused(guest: Dsn, empty_database: Dsn) -> None:
    as_owner(empty_database, "REVOKE CREATE ON SCHEMA public FROM public")
    message = refusal(guest)
    assert "may not create tables in schema public" in message
    as_owner(empty_database, way_out(message))
    check(guest)


def test_no_schema_at_all_is_refused(guest: Dsn, empty_database: Dsn) -> None:
    as_owner(empty_database, "DROP SCHEMA public")
    message = refusal(guest)
    as_owner(empty_database, way_out(message))
    check(guest)


def test_tables_of_somebody_else_are_refused(guest: Dsn, empty_database: Dsn) -> None:
    with Database(empty_database) as database:
        migrate(database)
    as_owner(empty_database, "GRANT CREATE ON SCHEMA public TO public")
    message = refusal(guest)
    assert re.search("does not own the tables .*daemon.*, schema_version", message)
    as_owner(empty_database, way_out(message))
    check(guest)


@pytest.fixture
def pooler(empty_database: Dsn, short_dir: Path) -> Iterator[Pooler]:
    """A real PgBouncer in front of the database."""
    if not _pgbouncer():
        need("pgbouncer")
    running: list[subprocess.Popen[bytes]] = []

    def start(**settings: object) -> Dsn:
        folder = short_dir / "pgbouncer"
        folder.mkdir()
        target = empty_database.parameters()
        said = " ".join(f"{key}={value}" for key, value in target.items())
        lines = ["[databases]", f"* = {said}", "[pgbouncer]", "listen_port = 6432"]
        lines += [f"unix_socket_dir = {folder}", "auth_type = any", "listen_addr ="]
        lines += [f"{key} = {value}" for key, value in settings.items()]
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        with (folder / "log").open("wb") as log:
            command = [_pgbouncer() or "", str(folder / "pgbouncer.ini")]
            running.append(Owner.of(folder).spawn(command, log.fileno()))
        _wait_for(folder / ".s.PGSQL.6432", running[0])
        return replace(empty_database, host=str(folder), port=6432)

    yield start
    for process in running:
        process.terminate()
        process.wait()
    shutil.rmtree(short_dir / "pgbouncer", ignore_errors=True)


def _pgbouncer() -> str | None:
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline, pause = Deadline(10), Stop()
    log = path.parent / "log"
    while not _is_answered(path):
        assert process.poll() is None and not deadline.is_over, log.read_text()
        pause.wait(0.02)


def _is_answered(path: Path) -> bool:
    """The socket's name is there a moment before anybody listens."""
    with socket.socket(socket.AF_UNIX) as line, suppress(OSError):
        line.connect(str(path))
        return True
    return False


def test_a_transaction_pooler_is_refused(pooler: Pooler) -> None:
    assert "set pool_mode = session there" in refusal(pooler(pool_mode="transaction"))


def test_a_pooler_that_takes_its_servers_in_turns_is_refused(pooler: Pooler) -> None:
    behind = pooler(pool_mode="transaction", server_round_robin=1)
    with Database(behind) as database, ExitStack() as stack:
        for _ in range(4):
            cursor = stack.enter_context(database.transaction())
            cursor.execute("SELECT 1")
    assert "set pool_mode = session there" in refusal(behind)


def test_a_session_pooler_serves(pooler: Pooler) -> None:
    behind = pooler(pool_mode="session")
    check(behind)
    with Database(behind) as database:
        migrate(database)
        with database.transaction() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("30s",)
    first, second = Leadership(behind), Leadership(behind)
    try:
        assert first.try_take()
        assert not second.try_take()
        assert second.holder() is not None
    finally:
        first.close()
        second.close()


def test_a_parameter_that_a_pooler_refuses_is_told(pooler: Pooler) -> None:
    behind = pooler(pool_mode="session")
    odd = replace(behind, extra=(("options", "-c geqo=off"),))
    assert "do not give that parameter to a pooler" in refusal(odd)
