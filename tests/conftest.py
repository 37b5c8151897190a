"""What holds for every test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.support.budgets", "tests.support.postgres"]

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
