"""A stage for crashes."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.storage.dsn import Dsn
from tests.crash.proxy import Proxy
from tests.crash.stage import Stage, staged


@pytest.fixture
def proxy(migrated_database: Dsn) -> Iterator[Proxy]:
    with Proxy(migrated_database) as made:
        yield made


@pytest.fixture
def seed() -> int:
    """Another one each time; MALEXBOT_SEED repeats what a failure told of."""
    return int(os.environ.get("MALEXBOT_SEED") or random.SystemRandom().getrandbits(32))


@pytest.fixture
def choice(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def stage(
    migrated_database: Dsn, proxy: Proxy, tmp_path: Path, seed: int
) -> Iterator[Stage]:
    """The daemon reaches its database by the proxy only; the judge does not."""
    with staged(migrated_database, tmp_path, seen_by_daemon=proxy.dsn) as made:
        made.tell(f"MALEXBOT_SEED={seed}")
        yield made
