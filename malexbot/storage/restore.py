"""Reads the stream of a backup into an empty database, all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any, Protocol

from malexbot.errors import Permanent
from malexbot.storage.backup import END_OF_TABLE, FORMAT, KIND, Tell, be_alone, counted
from malexbot.storage.database import Database
from malexbot.storage.failures import identifier
from malexbot.storage.migrate import apply_all, known_migrations
from malexbot.storage.session import Cursor
from malexbot.storage.tables import Table, drop_all, find_content, find_tables

# A header names the tables and their columns; a longer first line is none of ours.
_MAX_HEADER = 1 << 20


class Source(Protocol):
    """Where the stream comes from: a file, a pipe."""

    def readline(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Header:
    """What the first line of a backup says."""

    schema: int
    program: str
    made_at: str
    tables: tuple[Table, ...]
    sequences: dict[str, tuple[int, bool]]


def read_backup(database: Database, source: Source, *, tell: Tell) -> int:
    """Restore a backup and bring it to our schema; returns the number of rows."""
    stream = _Stream(source)
    header = _read_header(stream)
    tell(f"a backup of {header.made_at} by malexbot {header.program}")
    steps = known_migrations()
    with database.transaction(limit_s=0) as cursor:
        be_alone(cursor)
        _make_empty(cursor)
        apply_all(cursor, steps, header.schema)
        rows = _fill(cursor, header, stream, tell)
        _read_trailer(stream, rows)
        for name, (last, is_called) in header.sequences.items():
            cursor.execute(
                "SELECT setval(%s::regclass, %s, %s)",
                (identifier(name), last, is_called),
            )
        apply_all(cursor, steps)
    return sum(rows.values())


class _Stream:
    """The lines of a backup; one that does not end as it should is refused."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.checksum = hashlib.sha256()

    def line(self, size: int = -1) -> bytes:
        try:
            line = self._source.readline(size)
        except EOFError:
            line = b""  # within a block of gzip
        except (OSError, zlib.error) as error:
            raise Permanent(f"the backup cannot be read: {error}") from error
        if not line.endswith(b"\n"):
            raise Permanent("the backup is cut off: nothing of it was restored")
        return line

    def summed(self, size: int = -1) -> bytes:
        line = self.line(size)
        self.checksum.update(line)
        return line


class _Rows:
    """The rows of one table, as COPY reads them.

    An error raised in here would come back as one of the server's; so it is kept.
    """

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._is_over = False
        self.count = 0
        self.error: Permanent | None = None

    def read(self, size: int = 8192) -> bytes:
        lines: list[bytes] = []
        length = 0
        while length < size and not self._is_over:
            try:
                line = self._stream.summed()
            except Permanent as error:
                self.error, self._is_over = error, True
                break
            self._is_over = line == END_OF_TABLE
            if not self._is_over:
                lines.append(line)
                length += len(line)
        self.count += len(lines)
        return b"".join(lines)


def _read_header(stream: _Stream) -> Header:
    try:
        said = json.loads(stream.summed(_MAX_HEADER))
        if said["kind"] != KIND:
            raise ValueError(said["kind"])
        header = _parse(said)
        is_newer = said["format"] > FORMAT
    except (ValueError, LookupError, TypeError, AttributeError, Permanent) as error:
        raise Permanent("this is no backup of malexbot") from error
    if is_newer or header.schema > known_migrations()[-1].number:
        raise Permanent(
            f"this backup was made by malexbot {header.program}, which is newer:"
            " install that one (or a later one) to restore it"
        )
    return header


def _parse(said: dict[str, Any]) -> Header:
    return Header(
        schema=int(said["schema"]),
        program=str(said["program"]),
        made_at=str(said["made_at"]),
        tables=tuple(Table(name, tuple(names)) for name, names in said["tables"]),
        sequences={name: (at[0], at[1]) for name, at in said["sequences"].items()},
    )


def _make_empty(cursor: Cursor) -> None:
    content = find_content(cursor)
    if content is not None:
        raise Permanent(
            f"the database is not empty (table {content}): restore into a new one,"
            " so that nothing is lost"
        )
    drop_all(cursor)


def _fill(
    cursor: Cursor, header: Header, stream: _Stream, tell: Tell
) -> dict[str, int]:
    here = {table.name for table in find_tables(cursor)}
    if here:
        cursor.execute(f"TRUNCATE {', '.join(map(identifier, sorted(here)))}")
    rows = {}
    for table in header.tables:
        if table.name not in here:
            raise Permanent(f"the backup has a table {table.name} that nobody knows")
        found = _Rows(stream)
        cursor.copy_expert(f"COPY {table} FROM STDIN", found)
        if found.error is not None:
            raise found.error
        if found.count:
            tell(f"{table.name}: {counted(found.count)}")
        rows[table.name] = found.count
    return rows


def _read_trailer(stream: _Stream, rows: dict[str, int]) -> None:
    expected = {"rows": rows, "sha256": stream.checksum.hexdigest()}
    try:
        said = json.loads(stream.line())
    except ValueError:
        said = None
    if said != expected:
        raise Permanent("the backup is damaged: nothing of it was restored")
