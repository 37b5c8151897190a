"""Brings the schema of a database to the one that this program needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from malexbot import __version__
from malexbot.errors import Misconfigured
from malexbot.storage.database import Database
from malexbot.storage.keys import MIGRATION
from malexbot.storage.session import Cursor

_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_version (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, from a file such as `0001_daemon.sql`."""

    number: int
    name: str
    sql: str


def known_migrations() -> tuple[Migration, ...]:
    """All steps that this program knows, in order."""
    steps = []
    for file in files("malexbot.storage.migrations").iterdir():
        number, _, name = file.name.partition("_")
        if name.endswith(".sql"):
            text = file.read_text("utf-8")
            steps.append(Migration(int(number), name.removesuffix(".sql"), text))
    return tuple(sorted(steps, key=lambda step: step.number))


def migrate(
    database: Database,
    target: int | None = None,
    steps: Sequence[Migration] | None = None,
) -> int:
    """Apply what is missing, up to `target`; returns how many steps were applied.

    Each step is one transaction under a lock, so of two programs that start at
    once one waits, and a crash leaves a whole step or none of it.
    """
    steps = known_migrations() if steps is None else steps
    done = 0
    while _apply_next(database, steps, target):
        done += 1
    return done


def apply_all(
    cursor: Cursor, steps: Sequence[Migration], target: int | None = None
) -> None:
    """The same in the caller's transaction, all or nothing."""
    for step in pending(cursor, steps, target):
        apply(cursor, step)


def _apply_next(
    database: Database, steps: Sequence[Migration], target: int | None
) -> bool:
    """Yes: a step was applied, and there may be another one."""
    with database.transaction(limit_s=0) as cursor:
        missing = pending(cursor, steps, target)
        if missing:
            apply(cursor, missing[0])
    return bool(missing)


def pending(
    cursor: Cursor, steps: Sequence[Migration], target: int | None
) -> Sequence[Migration]:
    """Take the lock and tell what is missing; refuse a history that is not ours."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", MIGRATION)
    cursor.execute("SELECT to_regclass('schema_version')")
    if cursor.fetchone() == (None,):
        cursor.execute(_VERSIONS)
    cursor.execute("SELECT number, name FROM schema_version ORDER BY number")
    applied = cursor.fetchall()
    check_history(applied, steps)
    return [
        step
        for step in steps[len(applied) :]
        if target is None or step.number <= target
    ]


def check_history(
    applied: Sequence[tuple[int, str]], steps: Sequence[Migration]
) -> None:
    """Refuse what a newer or another program has made of the schema."""
    newest = steps[-1].number if steps else 0
    if applied and applied[-1][0] > newest:
        raise Misconfigured(
            f"the database has schema {applied[-1][0]}, malexbot {__version__} knows"
            f" only {newest}",
            "install the newer malexbot again, or restore a backup that was made"
            " before it",
        )
    for found, step in zip(applied, steps, strict=False):
        if found != (step.number, step.name):
            raise Misconfigured(
                f"the schema's history has {found[0]}_{found[1]} where this malexbot"
                f" has {step.number}_{step.name}, it was made by another program",
                "use another database, or restore a backup into an empty one",
            )


def apply(cursor: Cursor, step: Migration) -> None:
    """Run one step and write that it was done."""
    cursor.execute(step.sql)
    cursor.execute(
        "INSERT INTO schema_version (number, name, applied_at)"
        " VALUES (%s, %s, clock_timestamp())",
        (step.number, step.name),
    )
