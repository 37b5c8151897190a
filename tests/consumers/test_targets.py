"""The targets are those of the settings, also after these have changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from malexbot.config.model import Config
from malexbot.consumers.targets import Targets
from malexbot.errors import Permanent
from malexbot.runtime.stop import Stop
from tests.consumers.deliveries import delivery, hold
from tests.support.redis import RedisServer


def config(**settings: Any) -> Config:
    return Config.model_validate(settings)


@pytest.fixture
def targets(server: RedisServer) -> Iterator[Targets]:
    with closing(Targets(config(redis={"url": server.url}))) as made:
        yield made


def streams(server: RedisServer) -> list[str]:
    with server.client() as client:
        return sorted(client.scan_iter(_type="STREAM"))


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("redis:command", "no `redis:` block is in the settings"),
        ("http:elsewhere", "no target 'elsewhere' is below `http`"),
    ],
)
def test_a_target_that_is_not_set_goes_dead(to: str, told: str) -> None:
    with closing(Targets(config())) as targets, pytest.raises(Permanent, match=told):
        targets(delivery(to=to), hold())


def test_other_settings_count_from_the_next_job_on(
    targets: Targets, server: RedisServer
) -> None:
    targets(delivery("a"), hold())
    adopt = targets.prepare(config(redis={"url": server.url, "prefix": "bot:"}))
    targets(delivery("b"), hold())
    assert streams(server) == ["command"]
    adopt()
    targets(delivery("c"), hold())
    assert streams(server) == ["bot:command", "command"]
    targets.prepare(config())()
    with pytest.raises(Permanent):
        targets(delivery("d"), hold())


def test_what_is_set_as_before_keeps_its_line(
    targets: Targets, server: RedisServer
) -> None:
    targets(delivery("a"), hold())
    with server.client() as client:
        (before,) = _lines(client)
        http = {"moderation": "https://example.org"}
        targets.prepare(config(redis={"url": server.url}, http=http))()
        targets(delivery("b"), hold())
        assert _lines(client) == [before]


def test_all_lines_are_closed_at_the_end(server: RedisServer) -> None:
    targets = Targets(config(redis={"url": server.url}))
    targets(delivery(), hold())
    stop = Stop()
    with server.client() as client:
        assert len(_lines(client)) == 1
        stop.set()
        targets.run(stop)
        assert not _lines(client)


def _lines(client: Any) -> list[str]:
    """Those who have sent something, by their ids."""
    return [each["id"] for each in client.client_list() if each["cmd"] != "client|list"]
