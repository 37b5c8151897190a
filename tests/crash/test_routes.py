"""Killed at any step from VK to Redis, nothing is lost, doubled or out of order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.storage.dsn import Dsn
from tests.crash.routes import Found, RouteStage, play, staged
from tests.support.threads import eventually

EVENTS = 600
CHANCE, MOST_KILLS = 0.004, 6
PER_SECOND = 200
FROZEN_S = 20.0
# Less than it holds already: nothing more is taken.
FULL_B = 1_000_000


@pytest.fixture
def routes(migrated_database: Dsn, tmp_path: Path, seed: int) -> Iterator[RouteStage]:
    with staged(migrated_database, tmp_path) as made:
        made.tell(f"MALEXBOT_SEED={seed}")
        yield made


def check(routes: RouteStage, found: Found) -> None:
    assert found.is_right, routes.failure(str(found))


def test_killed_at_any_step_each_event_is_there_once(
    routes: RouteStage, seed: int
) -> None:
    """Redis is killed too, is full for a while, and cuts its lines."""
    redis = routes.redis

    def fill(bytes: int) -> None:
        with redis.client() as client:
            client.config_set("maxmemory", bytes)

    def cut() -> None:
        with redis.client() as client:
            client.client_kill_filter(_type="normal", skipme=True)

    def restart() -> None:
        redis.kill()
        redis.start()

    parts = (lambda: fill(FULL_B), lambda: fill(0), restart, cut)
    between = {EVENTS * (n + 1) // 5: part for n, part in enumerate(parts)}
    found = play(
        routes,
        seed,
        events=EVENTS,
        chance=CHANCE,
        most_kills=MOST_KILLS,
        per_second=PER_SECOND,
        between=between,
    )
    assert found.events == EVENTS
    check(routes, found)


@pytest.mark.slow
def test_a_redis_that_stands_still_and_one_that_forgets(routes: RouteStage) -> None:
    """Nobody can know what was forgotten; all that comes later is there, once."""
    load, pause = routes.vk.load, threading.Event()
    daemon = routes.start()
    daemon.wait_for_status("vk: connected")
    load.start(per_second=20, seed=1)
    eventually(lambda: load.made() > 0)
    with routes.redis.frozen():
        pause.wait(FROZEN_S)
    said = load.stop()
    routes.wait_until_all_is_there()
    found = routes.found()
    assert found.events == said > FROZEN_S
    check(routes, found)

    known = set(routes.told())
    with routes.redis.client() as client:
        client.flushall()
    load.start(per_second=200, most=50, seed=2)
    eventually(lambda: load.made() == 50 and routes.is_settled())
    found = routes.found()
    assert set(found.lost) == known
    assert not (found.doubled or found.disordered), found
    assert daemon.exit_code is None
