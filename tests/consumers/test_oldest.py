"""The oldest Redis that will do has other answers, and the same comes of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import redis

from malexbot.config.targets import Redis
from malexbot.consumers.reader import Reader
from malexbot.consumers.redis import RedisBus
from malexbot.consumers.shears import Shears
from tests.consumers.deliveries import delivery, sent
from tests.support.redis import RedisServer, oldest

STREAM = "command"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), program=oldest())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def alarms() -> list[str]:
    return []


def put(server: RedisServer, *keys: str) -> list[str]:
    bus = RedisBus(Redis(url=server.url))
    told = [sent(bus, delivery(key)) for key in keys]
    bus.close()
    return told


def take(reader: Reader, number: int) -> list[str]:
    """The ids of so many events, each acknowledged."""
    found = []
    for entry in islice(reader, number):
        reader.ack(entry)
        found.append(entry.event_id)
    return found


def drain(reader: Reader) -> None:
    """Whatever comes in half a second, which is nothing."""
    timer = threading.Timer(0.5, reader.stop)
    timer.start()
    assert not [*reader]
    timer.join()


def held(client: redis.Redis) -> list[Any]:
    told: Any = client.xpending_range(STREAM, "moderation", "-", "+", 10)
    return list(told)


def made(server: RedisServer, alarms: list[str], consumer: str = "one") -> Reader:
    return Reader(
        server.url,
        group="moderation",
        consumer=consumer,
        streams=[STREAM],
        stale_s=0.05,
        alarm=alarms.append,
    )


def test_it_is_the_oldest(server: RedisServer) -> None:
    with server.client() as client:
        assert str(client.info("server")["redis_version"]).startswith("6.2.")


def test_what_is_sent_twice_comes_once(server: RedisServer, alarms: list[str]) -> None:
    _, _, again = put(server, "a", "b", "a")
    assert again.endswith("there before")
    with made(server, alarms) as reader:
        assert take(reader, 2) == ["event-a", "event-b"]
    assert not alarms


def test_a_flushed_redis_is_gone_on_with(
    server: RedisServer, alarms: list[str]
) -> None:
    with made(server, alarms) as reader:
        put(server, "a")
        take(reader, 1)
        with server.client() as client:
            client.flushall()
        put(server, "b")
        assert take(reader, 1) == ["event-b"]
    (alarm,) = alarms
    assert "was gone" in alarm


@pytest.mark.parametrize("consumer", ["one", "two"])
def test_what_was_cut_off_is_told_and_let_go(
    server: RedisServer, alarms: list[str], consumer: str
) -> None:
    """By who held it, and by who takes it over: here it is an entry of nothing."""
    put(server, "a", "b")
    with made(server, []) as reader:
        assert len([*islice(reader, 2)]) == 2
    with server.client() as client:
        client.xtrim(STREAM, maxlen=0, approximate=False)
        put(server, "c")
        # It lies there long enough to be taken over.
        while min(e["time_since_delivered"] for e in held(client)) < 60:
            client.ping()
        with made(server, alarms, consumer) as reader:
            assert take(reader, 1) == ["event-c"]
            drain(reader)
        assert held(client) == []
    assert any("cut off before they were done with" in alarm for alarm in alarms)


def test_what_all_have_done_is_cut_off(server: RedisServer, alarms: list[str]) -> None:
    put(server, *map(str, range(300)))
    with made(server, alarms) as reader, Shears(Redis(url=server.url)) as shears:
        take(reader, 250)
        cut = shears.trim(STREAM, most=0, kept_s=0)
        assert cut and not cut.lost
        (group,) = shears.state(STREAM).groups
        # It cannot tell how many there are, but how long they wait.
        assert group.unread is None and group.behind_s > 0
        assert shears.state(STREAM).entries < 150
        assert take(reader, 50) == [f"event-{number}" for number in range(250, 300)]
    assert not alarms
