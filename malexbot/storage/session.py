"""One session with the server: our settings, our errors, transactions."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection, cursor

from malexbot.errors import MalexbotError
from malexbot.runtime.heart import outside
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import translate_connect, translated

STATEMENT_TIMEOUT_S = 30.0

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
    """The way of each statement: it rests the heart, and its errors are ours."""

    def execute(self, query: Any, vars: Any = None) -> None:
        with outside("the database"), translated():
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with outside("the database"), translated():
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        with outside("the database"), translated():
            super().copy_expert(sql, file, size)


class Session:
    """One connection with our settings, for one thread at a time."""

    def __init__(self, dsn: Dsn, *, name: str = "malexbot") -> None:
        with outside("the database"):
            self._connection = _connect(dsn, name)

    @property
    def connection(self) -> connection:
        return self._connection

    @property
    def is_dead(self) -> bool:
        """Yes: the server has hung up. Nothing is sent to find that out.

        An idle server says nothing, so bytes that wait on an idle session are its
        last words. (Or a notice; then a good session is closed, which is harmless.)
        """
        if self._connection.closed:
            return True
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    @contextmanager
    def transaction(self, *, limit_s: float | None = None) -> Iterator[Cursor]:
        """Commit what the block wrote, or roll it back if it raises.

        `limit_s` is another statement_timeout for this transaction; 0 is none.
        """
        try:
            with self._connection.cursor(cursor_factory=Cursor) as cursor:
                if limit_s is not None:
                    limit = str(round(limit_s * 1000))
                    cursor.execute("SET LOCAL statement_timeout = %s", (limit,))
                yield cursor
            with outside("the database"), translated():
                self._connection.commit()
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        """Never raises: a session that cannot roll back is dead and shows it."""
        with outside("the database"), suppress(psycopg2.Error):
            self._connection.rollback()

    def cut(self) -> None:
        """Break the line under another thread's statement, which then fails."""
        with suppress(OSError, psycopg2.Error):
            line = socket.socket(fileno=os.dup(self._connection.fileno()))
            with line:
                line.shutdown(socket.SHUT_RDWR)

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
