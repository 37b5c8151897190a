"""What a real daemon hands on reaches a real Redis and a service, whatever comes up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner

from malexbot.cli import main
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.consumers.conftest import service
from tests.consumers.service import Service
from tests.process.conftest import Start
from tests.process.test_pipe import change, settings
from tests.support.redis import RedisServer
from tests.support.threads import eventually

__all__ = ["mattermost", "service"]

pytestmark = pytest.mark.untraced


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def ids(bus: RedisServer, stream: str) -> list[str]:
    with closing(bus.client()) as client:
        try:
            found: Any = client.xrange(stream)
        except redis.ConnectionError:
            return []
    return [fields["id"] for _, fields in found]


def test_a_service_that_refuses_a_reload_and_a_redis_that_is_away(
    start: Start,
    write_config: Callable[..., Path],
    empty_database: Dsn,
    mattermost: Mattermost,
    service: Service,
    bus: RedisServer,
) -> None:
    town, scene = mattermost.town, mattermost.scene
    blocks = settings(mattermost, target_events_processors={"posted": ["route"]})
    to = ["redis:{{ event.event_type }}", "http:moderation"]
    blocks |= {
        "routes": [{"name": "all", "to": to}],
        "redis": {"url": bus.url, "time_out": "1s"},
        "http": {"moderation": service.url},
    }
    file = write_config("one", empty_database, **blocks)
    service.status, service.body = 422, b"no such field"
    daemon = start(file)
    daemon.wait_for_status("mattermost: connected")

    first = scene.post(town.channel, town.alice, "one")
    eventually(lambda: ids(bus, "message") == [first])
    daemon.wait_for_log("dead: http:moderation: 422 no such field")

    service.status = 204
    words = "jobs retry --all-dead --of http:moderation --config"
    told = CliRunner().invoke(main, [*words.split(), str(file)])
    assert told.stdout == "dead jobs that are ready again: 1\n"
    eventually(lambda: len(service.calls) == 2)
    refused, taken = service.calls
    assert refused.headers["Idempotency-Key"] == taken.headers["Idempotency-Key"]

    change(file, redis={"url": bus.url, "prefix": "new:", "time_out": "1s"})
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("reloaded; changed: redis")
    bus.stop()
    second = scene.post(town.channel, town.alice, "two")
    eventually(lambda: len(service.calls) == 3)
    daemon.wait_for_status("redis: away since ")
    bus.start()
    eventually(lambda: ids(bus, "new:message") == [second])
    assert ids(bus, "message") == [first]
    daemon.wait_for_log("redis takes events again, after ")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
