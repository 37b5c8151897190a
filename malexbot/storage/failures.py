"""What a failure of PostgreSQL means to us: try again, or somebody must act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from malexbot.errors import Misconfigured, Permanent, Transient, Unstorable

# By SQLSTATE, or its first two letters: what heals by itself or by an operator
# who needs not touch us.
_TRANSIENT = (
    "08",  # the connection
    "40",  # serialization failure, deadlock
    "53",  # disk full, out of memory, too many connections
    "57P",  # shut down, crashed, starting up, idle session ended
    "57014",  # statement_timeout
    "55P03",  # lock_timeout
    "55006",  # object in use
    "58030",  # the disk fails
    "25006",  # read only: the server became a replica
    "25P03",  # idle in a transaction for too long
    "25P04",  # the transaction took too long
)

# What the values of a statement may be to blame for: they are out of range or no
# text, or longer than an index takes.
_CONTENT = ("22", "54")

# A failed connect carries no SQLSTATE, only text. What is not found here (or comes
# in another language) counts as transient: it is tried again, and shown.
_REFUSED = (
    ("password authentication failed", "check db.username and db.password"),
    ("no password supplied", "set db.password"),
    ("no pg_hba.conf entry", "allow this host in the server's pg_hba.conf"),
    ("unsupported startup parameter", "do not give that parameter to a pooler"),
    ("does not exist", None),
)


class DatabaseUnavailable(Transient):
    """The database did not do it now and may do it later."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseRefused(Permanent):
    """The database will never do this."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseCannotHold(DatabaseRefused, Unstorable):
    """What it was given is to blame for it, and nothing else."""


@contextmanager
def translated() -> Iterator[None]:
    """Foreign errors leave this block as ours, with the cause chained."""
    try:
        yield
    except psycopg2.Error as error:
        raise translate(error) from error
    except ValueError as error:
        # NUL and lone surrogates never reach the server
        raise DatabaseCannotHold(f"PostgreSQL cannot hold this: {error}") from error


def translate(error: psycopg2.Error) -> DatabaseUnavailable | DatabaseRefused:
    message, sqlstate = _first_line(error), error.pgcode
    if sqlstate is None:
        # A commit whose answer is lost may have happened. It is transient and not
        # uncertain: every statement of ours is idempotent, so it is just repeated.
        lost = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        return (DatabaseUnavailable if lost else DatabaseRefused)(message)
    if sqlstate.startswith(_TRANSIENT):
        return DatabaseUnavailable(message, sqlstate)
    if sqlstate.startswith(_CONTENT):
        return DatabaseCannotHold(message, sqlstate)
    return DatabaseRefused(message, sqlstate)


def translate_connect(error: psycopg2.Error, database: str, user: str) -> Exception:
    """A connect that failed: out of reach for now, or refused, with the way out."""
    message = _first_line(error)
    for text, way_out in _REFUSED:
        if text in message:
            return Misconfigured(message, way_out or _create(message, database, user))
    return DatabaseUnavailable(message)


def _create(message: str, database: str, user: str) -> str:
    """The statement that makes what does not exist."""
    owner = identifier(user or database)
    if "role " in message:
        return f"as its superuser: CREATE ROLE {owner} LOGIN PASSWORD '…'"
    return f"as its superuser: {create_database(database, owner)}"


def create_database(name: str, owner: str) -> str:
    """A statement that makes a database that suits us, on any server."""
    return (
        f"CREATE DATABASE {identifier(name)} OWNER {owner}"
        " ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0"
    )


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    doubled = name.replace('"', '""')
    return '"' + doubled + '"'


def _first_line(error: psycopg2.Error) -> str:
    primary = error.diag.message_primary if error.pgcode else None
    text = primary or str(error).strip() or type(error).__name__
    return text.partition("\n")[0]
