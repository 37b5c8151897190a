"""Which tests coverage counts: those that look at a part, not those that hunt.

To be traced takes as much CPU again as what is traced, in each child process too. What
a long random scene passes on its way is not thereby tested: so slow tests, and the
suites named here, run at full speed, and the others have to see enough by themselves.
Nor is traced what is marked so: it measures, or kills who would have told.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

UNCOUNTED = frozenset(
    ("bench", "browser", "crash", "faults", "fuzz", "simulation", "soak")
)
# Of hypothesis: what it draws is another each time, and so would be the sum.
MARKS = ("slow", "untraced", "hypothesis")
# By that coverage follows into child processes.
FOLLOWS = "COVERAGE_PROCESS_CONFIG"
# Of those who run the tests.
FIRST = "gw0"


def is_counted(item: pytest.Item) -> bool:
    suite = Path(item.location[0]).parts[1]
    return suite not in UNCOUNTED and not any(map(item.get_closest_marker, MARKS))


@contextmanager
def untraced() -> Iterator[None]:
    """Nobody looks at this thread, at those it starts, and at its children."""
    here, threads = sys.gettrace(), threading.gettrace()
    follows = os.environ.pop(FOLLOWS, None)
    _trace(None, None)
    try:
        yield
    finally:
        _trace(here, threads)
        if follows is not None:
            os.environ[FOLLOWS] = follows


def _trace(here: Any, threads: Any) -> None:
    sys.settrace(here)
    threading.settrace(threads)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """One of those who run the tests sees what importing them runs; that is enough."""
    worker = getattr(session.config, "workerinput", {"workerid": FIRST})
    if worker["workerid"] == FIRST:
        return (yield)
    with untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """With its fixtures."""
    if is_counted(item):
        return (yield)
    with untraced():
        return (yield)
