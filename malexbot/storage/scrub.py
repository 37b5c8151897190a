"""Writes the tables anew, so that what was deleted is in no file of the database.

PostgreSQL marks rows as dead and leaves their bytes where they are, in pages that are
in use, in indexes and in the log of changes (WAL), until something else is written
there; after VACUUM too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from malexbot.errors import Transient
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database
from malexbot.storage.failures import identifier
from malexbot.storage.tables import find_tables

# How long it waits for those who read: an export, a backup, a page.
PATIENCE_S = 60.0
_PAUSE_S = 0.5
# What it shows is no content, and each write of a daemon holds it.
_LEFT_OUT = "daemon"
# Dead rows that an older reader may still see are copied too. Ids of transactions
# wrap around, so they are compared by their age.
_NOW = "SELECT (pg_current_xact_id()::xid)::text"
_OLDER_READERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_xmin IS NOT NULL AND age(backend_xmin) >= age(%s::xid)
"""
# With the statistics, which hold samples of the content.
_ANEW = "VACUUM (FULL, ANALYZE) {}"
_STATISTICS = "VACUUM (FULL) pg_catalog.pg_statistic"
_SWITCH = """
SELECT pg_logical_emit_message(true, 'malexbot', 'scrub');
SELECT pg_switch_wal()
"""
# Files that were used before wait there for their next turn, with their old bytes.
_WAITING = """
SELECT count(*) FROM pg_ls_waldir()
WHERE name ~ '^[0-9A-F]{24}$' AND name > pg_walfile_name(pg_current_wal_insert_lsn())
"""

Tell = Callable[[str], object]


def scrub(database: Database, *, is_embedded: bool, tell: Tell) -> None:
    """All tables of ours; `tell` hears the name of each when it begins.

    Whoever needs a table meanwhile waits: a daemon takes it for an outage of the
    database, after which it goes on. Raises Transient while somebody reads for long.

    Of the embedded server the WAL is written over too. Of another one that is not
    ours to do.
    """
    _wait_for_older_readers(database)
    with database.transaction() as cursor:
        names = [table.name for table in find_tables(cursor)]
    for name in names:
        if name != _LEFT_OUT:
            tell(name)
            _patiently(database, _ANEW.format(identifier(name)))
    if is_embedded:
        tell("the log of changes")
        _patiently(database, _STATISTICS)
        _write_over_wal(database)


def _wait_for_older_readers(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with database.transaction() as cursor:
        cursor.execute(_NOW)
        (now,) = cursor.fetchone() or ("0",)
    while True:
        with database.transaction() as cursor:
            cursor.execute(_OLDER_READERS, (now,))
            if cursor.fetchone() == (0,):
                return
        if time.monotonic() > deadline:
            raise _busy()
        _pause()


def _patiently(database: Database, statement: str) -> None:
    """Again and again: to wait in line for a table would hold up all behind us."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return database.alone(statement)
        except Transient as error:
            if getattr(error, "sqlstate", None) != "55P03":
                raise
            if time.monotonic() > deadline:
                raise _busy() from error
        _pause()


def _write_over_wal(database: Database) -> None:
    """A switch fills the rest of the file with zeros.

    After the first checkpoint no file of before is needed: they are gone, or wait
    to be used again. So each of those is taken in use, once.
    """
    _switch(database)
    database.alone("CHECKPOINT")
    with database.transaction() as cursor:
        cursor.execute(_WAITING)
        (waiting,) = cursor.fetchone() or (0,)
    for _ in range(waiting + 1):
        _switch(database)
    database.alone("CHECKPOINT")


def _switch(database: Database) -> None:
    with database.transaction(limit_s=0) as cursor:
        cursor.execute(_SWITCH)


def _pause() -> None:
    with outside("those who read the archive"):
        Stop().wait(_PAUSE_S)


def _busy() -> Transient:
    return Transient(
        "somebody has been reading the archive for a minute, an export or a backup:"
        " when that is done, run malexbot database scrub"
    )
