"""Writes all that a database holds as one stream.

The stream is text: a line of JSON that says what follows, each table as the lines
of its COPY and a `\\.`, and a last line of JSON with the counts and a checksum, so
that a stream that was cut off is known by its missing end. Nothing is kept in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from malexbot import __version__
from malexbot.errors import Permanent
from malexbot.storage.database import Database
from malexbot.storage.keys import DAEMON
from malexbot.storage.leadership import find_holder
from malexbot.storage.session import Cursor
from malexbot.storage.tables import Table, find_sequences, find_tables

KIND = "malexbot backup"
FORMAT = 1
END_OF_TABLE = b"\\.\n"

Tell = Callable[[str], None]


class Sink(Protocol):
    """Where the stream goes: a file, a pipe."""

    def write(self, data: bytes, /) -> object: ...


def write_backup(
    database: Database, sink: Sink, *, tell: Tell, is_alone: bool = False
) -> int:
    """Write one consistent state; returns the number of rows.

    The daemon may go on meanwhile, unless the state has to be the last one.
    """
    with database.transaction(limit_s=0) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if is_alone:
            be_alone(cursor)
        stream = _Stream(sink)
        tables = find_tables(cursor)
        stream.line(_header(cursor, tables))
        rows = {table.name: _write_table(cursor, table, stream) for table in tables}
        for name, count in rows.items():
            if count:
                tell(f"{name}: {counted(count)}")
        stream.line({"rows": rows, "sha256": stream.checksum.hexdigest()})
    return sum(rows.values())


def be_alone(cursor: Cursor) -> None:
    """Until this transaction ends no daemon is active; refuses if one is."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", DAEMON)
    if cursor.fetchone() != (True,):
        holder = find_holder(cursor) or "another command"
        raise Permanent(
            f"this database is in use by {holder}: stop it first"
            " (systemctl stop malexbot)"
        )


def counted(rows: int) -> str:
    """A number of rows as a person reads it."""
    return f"{rows:,} row{'' if rows == 1 else 's'}"


class _Stream:
    """Counts and sums up what it passes on."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.checksum = hashlib.sha256()
        self.rows = 0

    def write(self, data: bytes) -> None:
        """Called with one row after the other by COPY."""
        self._sink.write(data)
        self.checksum.update(data)
        self.rows += 1

    def line(self, value: object) -> None:
        self.write(json.dumps(value).encode("ascii") + b"\n")


def _header(cursor: Cursor, tables: list[Table]) -> dict[str, object]:
    cursor.execute("SELECT to_regclass('schema_version') IS NOT NULL")
    if cursor.fetchone() != (True,):
        raise Permanent("there is nothing to back up: no malexbot has used this yet")
    cursor.execute("SELECT max(number) FROM schema_version")
    (schema,) = cursor.fetchone() or (0,)
    return {
        "kind": KIND,
        "format": FORMAT,
        "schema": schema,
        "program": __version__,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "tables": [[table.name, table.columns] for table in tables],
        "sequences": find_sequences(cursor),
    }


def _write_table(cursor: Cursor, table: Table, stream: _Stream) -> int:
    before = stream.rows
    cursor.copy_expert(f"COPY {table} TO STDOUT", stream)
    rows = stream.rows - before
    stream.write(END_OF_TABLE)
    return rows
