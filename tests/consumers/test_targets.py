"""The targets are those of the settings, also after these have changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from malexbot.config.model import Config
from malexbot.consumers.targets import Targets
from malexbot.errors import Permanent
from malexbot.pipeline.verdicts import Done
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from tests.consumers.deliveries import delivery, hold
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs
from tests.support.redis import RedisServer

URL = "https://example.org"


def config(**settings: Any) -> Config:
    return Config.model_validate(settings)


def made(**settings: Any) -> Targets:
    return Targets(config(**settings), jobs=MemoryJobs(Clock()), health=Health())


@pytest.fixture
def targets(server: RedisServer) -> Iterator[Targets]:
    with closing(made(redis={"url": server.url})) as targets:
        yield targets


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
    with closing(made()) as targets, pytest.raises(Permanent, match=told):
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


def test_what_a_stopped_predecessor_may_hand_over_stays_known(targets: Targets) -> None:
    targets.ended(delivery("a"), Done(), 0.1)
    targets.inheriting.end_now()
    targets.ended(delivery("b"), Done(), 0.1)
    assert targets.bus and targets.bus.forgettable(0) == ["{command}:sent:b"]


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
    targets = made(redis={"url": server.url})
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


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
def test_a_redis_that_would_forget_is_told_at_the_start(
    targets: Targets,
    server: RedisServer,
    policy: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with server.client() as client:
        client.config_set("maxmemory-policy", policy)
        targets.look()
        client.config_set("maxmemory-policy", "noeviction")
    told = [record.getMessage() for record in caplog.records]
    assert [text[:47] for text in told] == (
        []
        if policy == "noeviction"
        else ["redis: its maxmemory-policy is allkeys-lru: a f"]
    )


def test_a_redis_that_keeps_no_log_is_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forgetful = RedisServer(tmp_path, "--appendonly", "no")
    forgetful.start()
    try:
        for mode in ("pubsub", "streams"):
            with closing(made(redis={"url": forgetful.url, "mode": mode})) as targets:
                assert not caplog.records, "of what is told once nothing is kept"
                targets.look()
    finally:
        forgetful.stop()
    (told,) = caplog.messages
    assert told.startswith("redis: its appendonly is no: ")


def test_who_may_not_ask_that_is_told_nothing(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"username": "bot", "password": "secret-of-the-bot"}
    with server.client() as client:
        words = "ACL SETUSER bot reset on >secret-of-the-bot ~* +evalsha +eval"
        client.execute_command(*words.split())
        with closing(made(redis={"url": server.url, **settings})) as targets:
            targets.look()
        client.execute_command("ACL", "DELUSER", "bot")
    assert not caplog.records


def test_a_redis_that_is_away_is_told_at_the_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(made(redis={"url": "redis://127.0.0.1:1"})) as targets:
        targets.look()
    assert "redis takes nothing, what is for it waits" in caplog.text


def test_a_target_may_be_given_up_sooner_than_others() -> None:
    known = config(
        redis={"give_up_after": "5m"},
        http={"a": {"url": "https://example.org", "give_up_after": "1h"}, "b": URL},
        routing={"give_up_after": "2h"},
    )
    waits = [
        known.give_up_after_s(target)
        for target in ("redis:x", "http:a", "http:b", "http:none", "mattermost:a")
    ]
    assert waits == [300, 3600, 7200, 7200, 7200]


def test_what_is_tried_for_long_is_known_for_as_long(server: RedisServer) -> None:
    settings = {"url": server.url, "remember": "2m", "give_up_after": "5m"}
    with closing(made(redis=settings)) as targets:
        targets(delivery("a"), hold())
    with server.client() as client:
        assert 350 < int(client.ttl("{command}:sent:a")) <= 360
