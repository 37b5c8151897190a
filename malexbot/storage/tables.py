"""What of ours is in a database, as its catalog tells it.

Nothing here names a table of the archive: a migration that adds one changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter

from malexbot.storage.failures import identifier
from malexbot.storage.session import Cursor

HISTORY = "schema_version"
"""Written by the migrations themselves, so it is never copied."""

# A migration puts a first row in here.
_SEEDED = (HISTORY, "daemon")

_OURS = """
n.nspname = current_schema() AND NOT EXISTS (
  SELECT 1 FROM pg_depend e WHERE e.objid = {object}.oid AND e.deptype = 'e')
"""
_TABLES = f"""
SELECT c.relname,
  ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
  ARRAY(SELECT r.relname::text FROM pg_constraint k JOIN pg_class r
    ON r.oid = k.confrelid
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND r.oid <> c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_OURS.format(object="c")} ORDER BY c.relname
"""
_SEQUENCES = f"""
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND {_OURS.format(object="c")} ORDER BY c.relname
"""
_DROPS = f"""
SELECT format('DROP %s IF EXISTS %s CASCADE', kind, name) FROM (
  SELECT 1, 'TABLE', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND {_OURS.format(object="c")}
  UNION ALL SELECT 2, 'VIEW', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND {_OURS.format(object="c")}
  UNION ALL SELECT 3, 'SEQUENCE', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND {_OURS.format(object="c")}
  UNION ALL SELECT 4, 'ROUTINE', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE {_OURS.format(object="p")}
  UNION ALL SELECT 5, 'TYPE', t.oid::regtype::text
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd') AND {_OURS.format(object="t")}
  UNION ALL SELECT 6, 'TEXT SEARCH CONFIGURATION', c.oid::regconfig::text
  FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
  WHERE {_OURS.format(object="c")}
  UNION ALL SELECT 7, 'TEXT SEARCH DICTIONARY', d.oid::regdictionary::text
  FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
  WHERE {_OURS.format(object="d")}
) AS found (rank, kind, name) ORDER BY rank
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, but for those that the server computes."""

    name: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{identifier(self.name)} ({', '.join(map(identifier, self.columns))})"


def find_tables(cursor: Cursor) -> list[Table]:
    """All tables that hold something of ours, those first that others refer to."""
    cursor.execute(_TABLES)
    found = {name: (columns, parents) for name, columns, parents in cursor}
    order = TopologicalSorter({name: row[1] for name, row in found.items()})
    return [
        Table(name, tuple(found[name][0]))
        for name in order.static_order()
        if name != HISTORY
    ]


def find_sequences(cursor: Cursor) -> dict[str, tuple[int, bool]]:
    """Where each sequence stands."""
    cursor.execute(_SEQUENCES)
    names = [name for (name,) in cursor]
    found = {}
    for name in names:
        cursor.execute(f"SELECT last_value, is_called FROM {identifier(name)}")
        last, is_called = cursor.fetchone() or (1, False)
        found[name] = (last, is_called)
    return found


def find_content(cursor: Cursor) -> str | None:
    """The name of a table that would be lost; None in an empty or a fresh database.

    A database that no malexbot has made must have no table at all.
    """
    cursor.execute("SELECT to_regclass('schema_version') IS NOT NULL")
    is_ours = cursor.fetchone() == (True,)
    for table in find_tables(cursor):
        if is_ours and table.name in _SEEDED:
            continue
        cursor.execute(f"SELECT EXISTS (SELECT FROM {identifier(table.name)})")
        if not is_ours or cursor.fetchone() == (True,):
            return table.name
    return None


def drop_all(cursor: Cursor) -> None:
    """Make the database as empty as before the first migration."""
    cursor.execute(_DROPS)
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)
