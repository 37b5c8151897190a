"""One session with the server: our settings, our errors, transactions."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection, cursor

from malexbot.errors import MalexbotError
from malexbot.runtime.heart import outside
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import translate_connect, translated
from malexbot.storage.statement import Statement

STATEMENT_TIMEOUT_S = 30.0
# Who waits for a lock on a table holds up all who come after him.
LOCK_PATIENCE_S = 2.0
# How much longer than its own time-out the server may be silent.
ANSWER_S = 5.0

# A dead host is noticed by the kernel: while idle after 2 + 3 x 1 s, with a
# statement under way 10 s after the first byte that nobody acknowledged.
_LINE = {
    "connect_timeout": 5,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "client_encoding": "UTF8",
}

# By a statement and not by the startup parameter `options`: poolers refuse or
# ignore that one.
_SETTINGS = (
    "SELECT set_config('TimeZone', 'UTC', false),"
    " set_config('statement_timeout', %s, false)"
)


class Cursor(cursor):
    """The way of each statement; its errors are ours."""

    at_work: Callable[[], AbstractContextManager[None]]
    planned: set[str]
    """By the session, which shares it with all its cursors."""

    def run(
        self, statement: Statement, terms: Mapping[str, object] | None = None
    ) -> None:
        """It is planned when it is first run; a plan outlives its transaction."""
        self.plan(statement)
        self.execute(statement.execute, terms)

    def plan(self, statement: Statement) -> None:
        if statement.name not in self.planned:
            self.execute(statement.prepare)
            self.planned.add(statement.name)

    def execute(self, query: Any, vars: Any = None) -> None:
        with self.at_work():
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with self.at_work():
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        with self.at_work():
            super().copy_expert(sql, file, size)


class Session:
    """One connection with our settings, for one thread at a time."""

    def __init__(self, dsn: Dsn, *, name: str = "malexbot") -> None:
        self._limit_s = STATEMENT_TIMEOUT_S
        self._asked_at: float | None = None
        self._planned: set[str] = set()
        with outside("the database"):
            self._connection = _connect(dsn, name)

    @property
    def version(self) -> int:
        """The server's version: 160004 is 16.4."""
        return self._connection.info.server_version

    @property
    def encoding(self) -> str:
        """How the database keeps text."""
        return str(self._connection.get_parameter_status("server_encoding"))

    @property
    def server_pid(self) -> int:
        """The server process that we were told of; a pooler tells an invented one."""
        return self._connection.info.backend_pid

    @property
    def is_dead(self) -> bool:
        """Yes: the server has hung up. Nothing is sent to find that out.

        An idle server says nothing, so bytes that wait on an idle session are its
        last words. (Or a notice; then a good session is closed, which is harmless.)
        """
        if self._connection.closed:
            return True
        try:
            poll = select.poll()
            poll.register(self._connection.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        except (psycopg2.Error, OSError, ValueError):
            return True  # libpq has closed the socket already

    @property
    def is_overdue(self) -> bool:
        """Yes: the server should have answered long ago, by its own time-out."""
        asked_at, limit_s = self._asked_at, self._limit_s
        if asked_at is None or limit_s == 0:
            return False
        return time.monotonic() - asked_at > limit_s + ANSWER_S

    @contextmanager
    def transaction(self, *, limit_s: float | None = None) -> Iterator[Cursor]:
        """Commit what the block wrote, or roll it back if it raises.

        `limit_s` is another statement_timeout for this transaction; 0 is none.
        """
        self._limit_s = STATEMENT_TIMEOUT_S if limit_s is None else limit_s
        try:
            with self._connection.cursor(cursor_factory=Cursor) as cursor:
                cursor.at_work, cursor.planned = self._at_work, self._planned
                if limit_s is not None:
                    limit = str(round(limit_s * 1000))
                    cursor.execute("SET LOCAL statement_timeout = %s", (limit,))
                yield cursor
            with self._at_work():
                self._connection.commit()
        except BaseException:
            self._roll_back()
            raise

    def at_once(
        self, statements: Sequence[Statement], terms: Mapping[str, object]
    ) -> list[Any]:
        """One transaction in one round trip; returns the rows of the last statement.

        But for the first time, when they are planned.
        """
        self._limit_s = STATEMENT_TIMEOUT_S
        try:
            self._connection.autocommit = True
            with self._connection.cursor(cursor_factory=Cursor) as cursor:
                cursor.at_work, cursor.planned = self._at_work, self._planned
                for statement in statements:
                    cursor.plan(statement)
                cursor.execute("; ".join(each.execute for each in statements), terms)
                return list(cursor.fetchall())
        finally:
            with suppress(psycopg2.Error):
                self._connection.autocommit = False

    def alone(self, statement: str) -> None:
        """What PostgreSQL does in no transaction, such as VACUUM; it takes its time."""
        self._limit_s = 0
        try:
            self._connection.autocommit = True
            with self._connection.cursor(cursor_factory=Cursor) as cursor:
                cursor.at_work, cursor.planned = self._at_work, self._planned
                cursor.execute("SET statement_timeout = 0")
                cursor.execute(f"SET lock_timeout = {round(LOCK_PATIENCE_S * 1000)}")
                try:
                    cursor.execute(statement)
                finally:
                    with suppress(psycopg2.Error, MalexbotError):
                        limit = round(STATEMENT_TIMEOUT_S * 1000)
                        cursor.execute(f"SET statement_timeout = {limit}")
                        cursor.execute("RESET lock_timeout")
        finally:
            with suppress(psycopg2.Error):
                self._connection.autocommit = False

    def _roll_back(self) -> None:
        """Never raises: a session that cannot roll back is dead and shows it."""
        with suppress(MalexbotError), self._at_work():
            self._connection.rollback()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """The server has the word: the heart rests, the clock runs."""
        with outside("the database"), translated():
            self._asked_at = time.monotonic()
            try:
                yield
            finally:
                self._asked_at = None

    def cut(self) -> None:
        """Break the line under another thread's statement, which then fails."""
        _cut(self._connection)

    def close(self) -> None:
        with suppress(psycopg2.Error):
            self._connection.close()


def _connect(dsn: Dsn, name: str) -> connection:
    parameters: dict[str, Any] = _LINE | {"application_name": name} | dsn.parameters()
    try:
        made: connection = psycopg2.connect(**parameters)
    except psycopg2.Error as error:
        raise translate_connect(error, dsn.dbname, dsn.user) from error
    try:
        with _cut_in_time(made):
            _settle(made)
    except MalexbotError:
        made.close()
        raise
    return made


def _settle(made: connection) -> None:
    limit = str(round(STATEMENT_TIMEOUT_S * 1000))
    with translated(), made.cursor() as cursor:
        cursor.execute(_SETTINGS, (limit,))
        made.commit()


@contextmanager
def _cut_in_time(made: connection) -> Iterator[None]:
    """Nobody watches this session yet, and its server may fall silent here too."""
    timer = threading.Timer(ANSWER_S, _cut, (made,))
    timer.name = "database-login"
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _cut(made: connection) -> None:
    with suppress(OSError, psycopg2.Error):
        with socket.socket(fileno=os.dup(made.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
