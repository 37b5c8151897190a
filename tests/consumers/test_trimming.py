"""Streams are kept short turn after turn, and what is lost is told aloud."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from malexbot.config.targets import Redis
from malexbot.consumers import trimming as module
from malexbot.consumers.redis import RedisBus
from malexbot.consumers.trimming import Trimming
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from tests.consumers.deliveries import delivery, sent
from tests.support.redis import RedisServer

GUIDE = Path(module.__file__).with_name("README.md").read_text()
STREAM = "command"


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with server.client() as client:
        yield client


def bus_of(url: str, *streams: str, **more: Any) -> RedisBus:
    """One that has written to these streams."""
    bus = RedisBus(Redis(url=url, **more))
    bus.streams.update(streams)
    bus.close()
    return bus


def fill(client: redis.Redis, number: int, stream: str = STREAM) -> None:
    with client.pipeline(transaction=False) as many:
        for at in range(number):
            many.xadd(stream, {"event": "{}", "id": f"event-{at}", "schema": "1"})
        many.execute()


def test_only_streams_of_ours_are_cut(server: RedisServer, client: redis.Redis) -> None:
    fill(client, 1000)
    fill(client, 1000, stream="somebody-elses")
    trimming = Trimming(lambda: None, Health())
    trimming.turn(bus_of(server.url, STREAM, "not-there-yet", max_entries=100))
    assert client.xlen(STREAM) < 250
    assert client.xlen("somebody-elses") == 1000
    assert [state.name for state in trimming.states] == [STREAM]


def test_what_is_lost_is_counted_and_told_once(
    server: RedisServer, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    bus = bus_of(server.url, STREAM, max_entries=1000)
    trimming = Trimming(lambda: None, Health())
    fill(client, 500)
    client.xgroup_create(STREAM, "moderation", id="0")
    with caplog.at_level(logging.INFO, module.__name__):
        trimming.turn(bus)
        fill(client, 900, stream="read")
        client.xgroup_create("read", "moderation", id="$")
        bus.streams.add("read")
        trimming.turn(bus)
        assert not caplog.messages
        fill(client, 400)
        for _ in range(2):
            trimming.turn(bus)
        (fills,) = caplog.messages
        assert fills.startswith("the stream command fills: it holds 900 entries")
        fill(client, 600)
        trimming.turn(bus)
        fill(client, 500)
        trimming.turn(bus)
        _, full = caplog.records
        assert full.levelno == logging.ERROR
        assert "cut off before moderation had done them" in full.getMessage()
        assert trimming.lost == 2000 - client.xlen(STREAM)
        told: Any = client.xreadgroup("moderation", "one", {STREAM: ">"}, noack=True)
        assert len(told[0][1]) == client.xlen(STREAM)
        client.xtrim(STREAM, maxlen=0, approximate=False)
        trimming.turn(bus)
    assert caplog.messages[-1] == "the stream command has room again"


def test_a_turn_that_fails_is_told_once_and_made_up_for(
    server: RedisServer, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    fill(client, 1000)
    health = Health()
    trimming = Trimming(lambda: None, health)
    with caplog.at_level(logging.INFO, module.__name__):
        for _ in range(2):
            trimming.turn(bus_of("redis://127.0.0.1:1/0", STREAM))
        assert health.parts()["streams"].startswith("not cut: Redis: ")
        trimming.turn(bus_of(server.url, STREAM, max_entries=100))
    ill, well = caplog.messages
    assert ill.startswith("streams are not cut: Redis: ")
    assert well == "streams are cut again" and not health.parts()
    assert client.xlen(STREAM) < 250


def test_what_is_no_stream_hinders_no_other(
    server: RedisServer, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    client.set("button", "something else")
    fill(client, 1000)
    with caplog.at_level(logging.INFO, module.__name__):
        Trimming(lambda: None, Health()).turn(
            bus_of(server.url, "button", STREAM, max_entries=100)
        )
    (told,) = caplog.messages
    assert told.startswith("the stream button is not cut: Redis: WRONGTYPE")
    assert client.xlen(STREAM) < 250


def test_what_ended_a_while_ago_need_not_be_remembered(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once: a crash of the database may bring its job back."""
    bus, trimming = RedisBus(Redis(url=server.url)), Trimming(lambda: None, Health())
    for key in ("a", "b"):
        sent(bus, delivery(key))
    bus.note_ended(delivery("a"))
    trimming.turn(bus)
    assert client.exists("{command}:sent:a", "{command}:sent:b") == 2
    monkeypatch.setattr(module, "FORGET_AFTER_S", 0)
    trimming.turn(bus)
    assert client.exists("{command}:sent:a", "{command}:sent:b") == 1
    assert client.exists("{command}:sent:b")
    bus.close()


def test_what_was_published_need_not_be_remembered_either(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORGET_AFTER_S", 0)
    bus = RedisBus(Redis(url=server.url, mode="pubsub"))
    sent(bus, delivery("a"))
    bus.note_ended(delivery("a"))
    assert client.keys() == ["{command}:sent:a"]
    trimming = Trimming(lambda: None, Health())
    trimming.turn(bus)
    bus.close()
    assert client.keys() == [] and trimming.states == []


def test_the_rights_that_the_guide_names_are_enough(
    server: RedisServer, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    (rights,) = re.findall(r"keep the streams short `([^`]+)`", GUIDE)
    fill(client, 1000)
    client.xgroup_create(STREAM, "moderation", id="0")
    client.execute_command(
        *"ACL SETUSER bot reset on >secret-of-the-bot +@connection".split(),
        *f"~command ~{{command}}:sent:* {rights}".split(),
    )
    who = {"username": "bot", "password": "secret-of-the-bot"}
    with caplog.at_level(logging.INFO, module.__name__):
        try:
            Trimming(lambda: None, Health()).turn(
                bus_of(server.url, STREAM, max_entries=500, **who)
            )
        finally:
            client.execute_command("ACL", "DELUSER", "bot")
    (told,) = caplog.messages
    assert told.startswith("the stream command is full")
    assert client.xlen(STREAM) < 650


def test_it_takes_turns_until_it_is_stopped(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the settings of each moment."""
    monkeypatch.setattr(module, "TURN_S", 0.01)
    fill(client, 1000)
    stop, asked = Stop(), []
    settings = [
        None,
        bus_of(server.url, STREAM),
        bus_of(server.url, STREAM, max_entries=100),
    ]

    def now() -> Any:
        asked.append(int(client.xlen(STREAM)))
        if not settings:
            stop.set()
            return None
        return settings.pop(0)

    Trimming(now, Health()).run(stop)
    assert asked[:3] == [1000] * 3 and asked[3] < 250
