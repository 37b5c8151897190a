"""What plugins keep: read at once, written by the end of a job.

Who writes in a space holds its lock until his transaction ends, so that what he has
read counts for all that he writes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from malexbot.ports import Kept, Put, Seen
from malexbot.storage.database import Database
from malexbot.storage.plain import to_json
from malexbot.storage.statement import Statement

REQUIRE = Statement("require_versions", "SELECT require_versions(%(seen)s)")
PUT = Statement(
    "put_values",
    """
WITH told AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(puts)s) AS put (space text, key text, value text)
), deleted AS (
  DELETE FROM store USING told
  WHERE store.space = told.space AND store.key = told.key AND told.value IS NULL
)
INSERT INTO store (space, key, value)
SELECT space, key, value::json FROM told WHERE value IS NOT NULL
ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, version = DEFAULT
""",
)

_READ = Statement(
    "read_value",
    """
SELECT value, version FROM store WHERE space = %(space)s AND key = %(key)s
""",
)
_SCAN = Statement(
    "scan_values",
    """
SELECT key, value, version FROM store
WHERE space = %(space)s AND starts_with(key, %(prefix)s) ORDER BY key
""",
)
_NOTHING = Kept(None, 0)


class DatabaseStore:
    """Implements ports.Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, space: str, key: str) -> Kept:
        rows = self._database.at_once([_READ], {"space": space, "key": key})
        return Kept(*rows[0]) if rows else _NOTHING

    def scan(self, space: str, prefix: str) -> Mapping[str, Kept]:
        rows = self._database.at_once([_SCAN], {"space": space, "prefix": prefix})
        return {key: Kept(value, version) for key, value, version in rows}


def space_lock(space: str) -> str:
    """By what the lock of a space is known."""
    return f"store {space}"


def seen(writes: Sequence[Put | Seen]) -> Mapping[str, object]:
    """The terms of REQUIRE."""
    versions: dict[tuple[str, str], int] = {}
    for write in writes:
        if write.version is not None:
            versions.setdefault((write.space, write.key), write.version)
    rows = [
        {"space": space, "key": key, "version": version}
        for (space, key), version in versions.items()
    ]
    return {"seen": to_json(rows)}


def puts(writes: Sequence[Put]) -> Mapping[str, object]:
    """The terms of PUT; raises Unstorable for what is no JSON."""
    values = {(put.space, put.key): put.value for put in writes}
    rows = [
        {"space": space, "key": key, "value": _text(value)}
        for (space, key), value in values.items()
    ]
    return {"puts": to_json(rows)}


def _text(value: object) -> str | None:
    """Text within the rows: what reads those refuses a NUL, which a value may have."""
    return None if value is None else to_json(value)
