"""route: from VK to Redis, beside what the services did whose place malexbot takes.

Both have the same VK, which refuses a 21st call within a second, and the same Redis,
which writes to its disk each second. The bare router asks three times for each event:
vk_api's plain client, which those services used, makes 3 calls a second; the one for
communities makes 20, and is told too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from malexbot.sandbox.daemon import DaemonProcess
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.stage import PATIENCE_S, NotFinished, Scale, Stage, Worker
from tests.bench.vk import PEOPLE, Community, Vk
from tests.support.redis import RedisServer

ROW = "route"
STREAM = "message"
RATE = 20
SERVICES, FASTER = "vk_api, 3 look-ups, PUBLISH", "the same, 20 calls/s"
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of malexbot gave."""

    per_second: float
    cpu_us: float
    """What its process used for each event of the burst."""
    calls: float
    """How often it called VK for each event, once it had seen everybody."""
    waited_ms: Sequence[float]
    """From what happened to the entry in the stream, at a modest rate."""


def route(stage: Stage, scale: Scale) -> Sequence[Figure]:
    with _redis(stage.folder) as server:
        turns = [_turn(stage, server, scale) for _ in range(scale.turns)]
    ours = [run for run, _, _ in turns]
    speeds = [run.per_second for run in ours]
    beside = [each for _, each, _ in turns], [each for _, _, each in turns]
    return [
        _speed("speed", speeds, beside[0], SERVICES, Goal(50, is_least=True)),
        _speed("speed beside a faster one", speeds, beside[1], FASTER, None),
        _alone("CPU of the process", "µs/event", [run.cpu_us for run in ours]),
        _alone("calls of VK", "an event", [run.calls for run in ours], Goal(0.1)),
        *(
            _alone(f"p{share} at {RATE}/s", "ms", _percentiles(ours, share))
            for share in (50, 99)
        ),
    ]


def _turn(stage: Stage, server: RedisServer, scale: Scale) -> tuple[Run, float, float]:
    """All on one VK; malexbot is first, for what it meets is numbered from 0."""
    events, slowly = scale.of(5000, 100), scale.of(RATE * 15, RATE)
    with Vk() as vk:
        return (
            _malexbot(stage, server, vk, events, slowly),
            _bare(stage, server, vk, "VkApi", scale.of(20, 1)),
            _bare(stage, server, vk, "VkApiGroup", scale.of(100, 3)),
        )


def _speed(
    name: str,
    ours: Sequence[float],
    beside: Sequence[float],
    beside_name: str,
    goal: Goal | None,
) -> Figure:
    return Figure(
        row=ROW,
        name=name,
        unit="events/s",
        ours=ours,
        beside=beside,
        beside_name=beside_name,
        goal=goal,
    )


def _alone(
    name: str, unit: str, ours: Sequence[float], goal: Goal | None = None
) -> Figure:
    return Figure(row=ROW, name=name, unit=unit, ours=ours, goal=goal)


def _percentiles(runs: Sequence[Run], share: int) -> list[float]:
    return [percentile(run.waited_ms, share / 100) for run in runs]


@contextmanager
def _redis(folder: Path) -> Iterator[RedisServer]:
    place = folder / "redis"
    place.mkdir()
    server = RedisServer(place, "--appendfsync", "everysec")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _malexbot(
    stage: Stage, server: RedisServer, vk: Vk, events: int, slowly: int
) -> Run:
    with stage.database() as dsn, Bus(server) as bus:
        settings = stage.settings(dsn, **_blocks(vk.place, server))
        with DaemonProcess(settings) as daemon:
            vk.await_poll()
            vk.burst(PEOPLE)
            bus.wait_for(PEOPLE)
            worker, calls = Worker(daemon.pid), vk.calls()
            cpu_s, began = worker.cpu_s, vk.burst(events)
            bus.wait_for(PEOPLE + events)
            used_s, ended = worker.cpu_s - cpu_s, max(bus.made_at().values())
            told_at = vk.stream(slowly, RATE)
            bus.wait_for(PEOPLE + events + slowly)
            made_at, calls = bus.made_at(), vk.calls() - calls
    return Run(
        per_second=events / (ended - began),
        cpu_us=used_s / events * 1e6,
        calls=calls / (events + slowly),
        waited_ms=[
            (made_at[number] - at) * 1000
            for number, at in enumerate(told_at, PEOPLE + events)
        ],
    )


def _blocks(place: Community, server: RedisServer) -> Mapping[str, Any]:
    return {
        "vk": {
            "token": place.token,
            "group_id": place.group_id,
            "api_base": place.api_base,
            "target_events_processors": {"message_new": ["route"]},
        },
        "redis": {"url": server.url},
        "routes": [{"name": "all", "to": "redis:{{ event.event_type }}"}],
    }


def _bare(stage: Stage, server: RedisServer, vk: Vk, client: str, events: int) -> float:
    """How many events a second it published."""
    with Bus(server) as bus:
        place = {"url": vk.place.url, "token": vk.place.token}
        more = {"group_id": vk.place.group_id, "redis": server.url, "client": client}
        with stage.beside("router", **place, **more):
            vk.await_poll()
            began = vk.burst(events)
            return events / (bus.hear(events) - began)


class Bus:
    """What comes out at the other side."""

    def __init__(self, server: RedisServer) -> None:
        self._client = server.client()
        self._listener = self._client.pubsub()

    def __enter__(self) -> Bus:
        self._client.flushall()
        self._listener.subscribe(STREAM)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._client.close()

    def wait_for(self, entries: int) -> None:
        """Until so many are in the stream."""
        until = time.monotonic() + PATIENCE_S
        while (found := int(self._client.xlen(STREAM))) < entries:
            if time.monotonic() > until:
                raise NotFinished(f"{found} of {entries} entries came")
            self._listener.get_message(timeout=_LOOK_S)

    def made_at(self) -> Mapping[int, float]:
        """When the entry of each message was made, in seconds of Redis' clock.

        Each has the names that the bare router looks up.
        """
        found: Any = self._client.xrange(STREAM)
        made_at = {}
        for id, fields in found:
            event = orjson.loads(fields["event"])
            if not (event["user"]["name"] and event["peer"]["name"]):
                raise NotFinished(f"an event came without its names: {event}")
            made_at[_number(event)] = int(id.split("-")[0]) / 1000
        return made_at

    def hear(self, messages: int) -> float:
        """When the last of so many was published."""
        until, heard = time.monotonic() + PATIENCE_S, 0
        while heard < messages:
            if time.monotonic() > until:
                raise NotFinished(f"{heard} of {messages} messages came")
            told = self._listener.get_message(timeout=_LOOK_S)
            heard += told is not None and told["type"] == "message"
        return time.time()


def _number(event: Mapping[str, Any]) -> int:
    return int(event["message"]["text"].split()[2])
