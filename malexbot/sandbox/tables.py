"""Rows by id that write each change down, so that a killed sandbox comes back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import orjson


class Row(Protocol):
    """Anything with an id; in truth one of the dataclasses of `model`."""

    @property
    def id(self) -> str: ...


SomeRow = TypeVar("SomeRow", bound=Row)


class Journal:
    """A file of changed rows, a line each; the last line of a row counts.

    Written without a buffer: what was answered survives kill -9 of the process.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, table: str, row: Row | str) -> None:
        """A row was put, or (its id alone) dropped."""
        os.write(self._file, orjson.dumps([table, row]) + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> Iterator[tuple[str, Any]]:
    """The changes of a journal in order; a torn last line is cut off."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    for line in content[:whole].splitlines():
        table, row = orjson.loads(line)
        yield table, row


class Table(Generic[SomeRow]):
    """The rows of one kind; `put` after each change."""

    def __init__(self, name: str, kind: type[SomeRow]) -> None:
        self.name = name
        self.rows: dict[str, SomeRow] = {}
        self.journal: Journal | None = None
        self._kind = kind

    def put(self, row: SomeRow) -> SomeRow:
        self.rows[row.id] = row
        if self.journal is not None:
            self.journal.write(self.name, row)
        return row

    def drop(self, id: str) -> None:
        self.rows.pop(id, None)
        if self.journal is not None:
            self.journal.write(self.name, id)

    def load(self, change: Any) -> None:
        """Apply one line of a journal."""
        if isinstance(change, str):
            self.rows.pop(change, None)
        else:
            row = self._kind(**change)
            self.rows[row.id] = row

    def get(self, id: str) -> SomeRow | None:
        return self.rows.get(id)

    def __getitem__(self, id: str) -> SomeRow:
        return self.rows[id]

    def __contains__(self, id: object) -> bool:
        return id in self.rows

    def __iter__(self) -> Iterator[SomeRow]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)
