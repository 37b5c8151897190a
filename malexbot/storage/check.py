"""Refuses a server or a database that cannot serve us, with the way out."""

from __future__ import annotations

from contextlib import ExitStack

from malexbot.errors import Misconfigured, Transient
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import create_database, identifier
from malexbot.storage.session import STATEMENT_TIMEOUT_S, Cursor, Session

OLDEST = 13

_STATE = """
SELECT pg_is_in_recovery(), current_database(), current_user, current_schema(),
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
"""
_STRANGERS = """
SELECT string_agg(c.relname, ', ' ORDER BY c.relname), min(pg_get_userbyid(c.relowner))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'S')
  AND NOT pg_has_role(c.relowner, 'USAGE')
"""


def check_server(database: Database) -> None:
    """Raise Misconfigured if this server or database will never do."""
    session = Session(database.dsn)
    try:
        check_version(session.version)
        _check_pooler(database.dsn, session)
        with session.transaction() as cursor:
            cursor.execute(_STATE)
            is_replica, name, user, schema, may_create = cursor.fetchone() or ()
            if is_replica:
                raise Transient(
                    "the database is a read-only replica: let db.host be its primary"
                )
            check_encoding(session.encoding, name, user)
            _check_rights(cursor, user, schema, may_create)
    finally:
        session.close()


def check_version(version: int) -> None:
    """`version` is as libpq tells it: 130012 is 13.12."""
    if version < OLDEST * 10_000:
        raise Misconfigured(
            f"PostgreSQL {version // 10_000} is too old",
            f"upgrade the server to {OLDEST} or later, or leave `db:` out to use the"
            " embedded one",
        )


def check_encoding(encoding: str, name: str, user: str) -> None:
    if encoding != "UTF8":
        create = create_database(f"{name}_utf8", identifier(user))
        raise Misconfigured(
            f"the database {name} keeps text as {encoding}, malexbot needs UTF8",
            f"as its superuser: {create}; then set db.name",
        )


def _check_rights(
    cursor: Cursor, user: str, schema: str | None, may_create: bool
) -> None:
    role = identifier(user)
    if schema is None:
        raise Misconfigured(
            "the database has no schema for us",
            f"as its superuser: CREATE SCHEMA AUTHORIZATION {role}",
        )
    if not may_create:
        raise Misconfigured(
            f"{user} may not create tables in schema {schema}",
            "as its owner:"
            f" GRANT USAGE, CREATE ON SCHEMA {identifier(schema)} TO {role}",
        )
    cursor.execute(_STRANGERS)
    tables, owner = cursor.fetchone() or (None, None)
    if tables:
        raise Misconfigured(
            f"{user} does not own the tables {tables} in schema {schema}",
            f"as a superuser: GRANT {identifier(owner)} TO {role}",
        )


def _check_pooler(dsn: Dsn, session: Session) -> None:
    """A pooler may lend us a server session, but not for a transaction only.

    Locks, time-outs and the epoch live in sessions. Two sessions of ours that stay
    open must have one server process each, and keep it.
    """
    with ExitStack() as stack:
        pid, limit = _served_by(session)
        if limit != round(STATEMENT_TIMEOUT_S * 1000):
            raise Misconfigured(
                "the server does not keep our statement_timeout",
                "connect without a pooler, or by one with pool_mode = session",
            )
        if pid == session.server_pid:
            return
        other = Session(dsn)
        stack.callback(other.close)
        # not in turns: neither would a pooler that takes two servers in turns
        second = {_served_by(other)[0], _served_by(other)[0]}
        first = {pid, _served_by(session)[0]}
        if len(first) > 1 or len(second) > 1 or first & second:
            raise Misconfigured(
                "there is a pooler that lends a server for one transaction at a time",
                "set pool_mode = session there, or connect to PostgreSQL itself",
            )


def _served_by(session: Session) -> tuple[int, int]:
    """The server process behind a session, and its statement_timeout in ms."""
    with session.transaction() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), setting::int FROM pg_settings"
            " WHERE name = 'statement_timeout'"
        )
        pid, limit = cursor.fetchone() or (0, 0)
        return pid, limit
