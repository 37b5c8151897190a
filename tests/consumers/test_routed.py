"""What `route` hands on is what the service on the other side reads as an event."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from malexbot.bus import read
from malexbot.config.model import Config
from malexbot.config.routes import RouteRule, Routing
from malexbot.config.targets import Redis
from malexbot.consumers.parcel import HTTP, REDIS
from malexbot.consumers.reader import Reader
from malexbot.consumers.redis import RedisBus
from malexbot.consumers.targets import Targets
from malexbot.events import Event
from malexbot.pipeline.effects import Collector
from malexbot.pipeline.verdicts import Postponed
from malexbot.ports import Effect, Job, Occasion
from malexbot.processors.route import Route, routed
from malexbot.runtime.health import Health
from tests.consumers.deliveries import delivery, hold, sent
from tests.support.events import commanded, posted, pressed, reacted
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs
from tests.support.redis import RedisServer

EVENTS = [posted("p1", "hi"), reacted(), pressed(payload={"n": 1}), commanded("now")]


def handed_on(event: Event, to: str) -> Effect:
    rule = RouteRule.model_construct(
        name="a", when="", to=(to,), text="", goes_on=False
    )
    bot = Collector(event)
    Route([rule], Routing()).handle(event, Occasion(0), bot)
    (effect,) = bot.effects
    return effect


def job(effect: Effect) -> Job:
    """As the queue would have it: the payload went through JSON."""
    payload: dict[str, Any] = json.loads(json.dumps(effect.payload))
    made = delivery("k1")
    return replace(made, kind=effect.kind, name=effect.target, payload=payload)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_type)
def test_it_crosses_redis_as_it_is(event: Event, server: RedisServer) -> None:
    effect = handed_on(event, "redis:{{ event.event_type }}")
    assert effect.kind == REDIS
    bus = RedisBus(Redis(url=server.url))
    sent(bus, job(effect))
    bus.close()
    # Or the reader would wait for it.
    with server.client() as client:
        assert client.xlen(event.event_type) == 1
    streams = [event.event_type]
    with Reader(server.url, group="g", consumer="c", streams=streams) as reader:
        entry = next(iter(reader))
    assert (entry.event_id, entry.schema) == (event.event_id, 1)
    found = read(entry.event)
    handed = routed(event)
    assert (found.peer, found.user, found.message) == (
        handed.peer,
        handed.user,
        handed.message,
    )
    assert (found.button, found.reaction) == (handed.button, handed.reaction)
    assert found.as_dict() == event.as_dict()


def test_a_service_is_found_by_its_name_from_the_lane_of_buttons_too() -> None:
    effect = handed_on(pressed(), "http:moderation")
    assert effect.kind == HTTP
    assert effect.target != "http:moderation"
    http = {"moderation": "http://127.0.0.1:1/x"}
    settings = Config.model_validate({"http": http})
    targets = Targets(settings, jobs=MemoryJobs(Clock()), health=Health())
    with closing(targets), pytest.raises(Postponed, match="moderation: "):
        targets(job(effect), hold())
