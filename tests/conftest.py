"""What holds for every test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest

pytest_plugins = [
    "tests.support.budgets",
    "tests.support.counted",
    "tests.support.postgres",
]

# How quick an example is tells of the machine, and of what else it has to do.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any machine")

# A thread that was told to end may take so long for it.
GRACE_S = 5.0


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + GRACE_S
    while left := set(threading.enumerate()) - before:
        next(iter(left)).join(0.05)
        if time.monotonic() > until:
            pytest.fail(f"left behind: {', '.join(thread.name for thread in left)}")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a test log half a character: its process ends on a report it cannot send."""
    return _sendable((yield))


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _sendable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_sendable(inner) for inner in value)
    return value


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
