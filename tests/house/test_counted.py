"""Coverage counts what looks at a part, and leaves alone what hunts through it all."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.counted import (
    FOLLOWS,
    UNCOUNTED,
    is_counted,
    pytest_collection,
    pytest_runtest_protocol,
)

Trace = Callable[..., None]


def item(suite: str, *marks: str) -> Any:
    return SimpleNamespace(
        location=(f"tests/{suite}/test_x.py", 1, ""),
        get_closest_marker=lambda name: name if name in marks else None,
    )


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trace]:
    """Somebody looks, at this process and at its children."""

    def look(*_: object) -> None:
        return None

    here, threads = sys.gettrace(), threading.gettrace()
    monkeypatch.setenv(FOLLOWS, "look")
    sys.settrace(look)
    threading.settrace(look)
    yield look
    sys.settrace(here)
    threading.settrace(threads)


def looks() -> tuple[object, object, object]:
    return sys.gettrace(), threading.gettrace(), os.environ.get(FOLLOWS)


def within(running: Any) -> tuple[object, object, object]:
    next(running)
    seen = looks()
    with pytest.raises(StopIteration):
        running.send(True)
    return seen


def test_quick_tests_count_but_for_some_suites() -> None:
    assert is_counted(item("web"))
    assert not is_counted(item("web", "slow"))
    assert not is_counted(item("web", "untraced"))
    assert not is_counted(item("web", "hypothesis"))
    assert not any(is_counted(item(suite)) for suite in UNCOUNTED)


def test_what_does_not_count_is_not_looked_at_while_it_runs(trace: Trace) -> None:
    assert within(pytest_runtest_protocol(item("web", "slow"))) == (None, None, None)
    assert looks() == (trace, trace, "look")


def test_what_counts_is_looked_at(trace: Trace) -> None:
    assert within(pytest_runtest_protocol(item("web"))) == (trace, trace, "look")


@pytest.mark.parametrize(
    ("config", "is_looked_at"),
    [
        ({}, True),
        ({"workerinput": {"workerid": "gw0"}}, True),
        ({"workerinput": {"workerid": "gw1"}}, False),
    ],
)
def test_one_is_looked_at_while_it_collects(
    config: dict[str, Any], is_looked_at: bool, trace: Trace
) -> None:
    session: Any = SimpleNamespace(config=SimpleNamespace(**config))
    seen = within(pytest_collection(session))
    assert seen == ((trace, trace, "look") if is_looked_at else (None, None, None))
