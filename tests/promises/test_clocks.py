"""Which clock is asked by whom: the wall's can jump, so nobody waits by it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import malexbot

HOME = Path(malexbot.__file__).parent
# A person reads what these write, and a sandbox stands for another machine.
LEFT_OUT = {"cli", "sandbox"}
WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}

# Who asks it nevertheless.
ALLOWED = {
    "pipe.py": "the age of an event where there is no messenger",
    "consumers/http.py": "a signature tells when it was made",
    "consumers/target.py": "since when nobody is there, as a person reads it",
    "messengers/clock.py": "until the server has told its own",
    "messengers/mattermost/failures.py": "a header may tell a date",
    "pipeline/deeds.py": "a record tells when it was",
    "plugins/rehearsal.py": "what happens on a stage happens now",
    "runtime/workstream.py": "so does what it tells of itself",
    "storage/backup.py": "the date of a backup",
    "storage/files.py": "no file is of the future",
}


def asked(tree: ast.Module) -> Iterator[str]:
    """The names by which a module asks for the time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ".".join(ast.unparse(node).split(".")[-2:])
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_intervals_are_measured_by_the_monotonic_clock() -> None:
    paths = {path.relative_to(HOME): path for path in HOME.rglob("*.py")}
    asking = {
        str(name)
        for name, path in paths.items()
        if name.parts[0] not in LEFT_OUT
        and WALL & {*asked(ast.parse(path.read_text()))}
    }
    assert asking == set(ALLOWED)


def test_leases_begin_and_end_by_the_clock_of_the_database() -> None:
    """Nothing that the queue is told is a time of ours."""
    for name in ("jobs.py", "claims.py", "offers.py"):
        tree = ast.parse((HOME / "storage" / name).read_text())
        modules = {name for node in tree.body for name in _imported(node)}
        assert not modules & {"time", "datetime"}


def _imported(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
