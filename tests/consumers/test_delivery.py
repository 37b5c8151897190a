"""Jobs of a real queue reach a real Redis in order, and once, whatever fails."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from malexbot.config.model import Config
from malexbot.consumers import gate, target
from malexbot.consumers.parcel import HTTP, REDIS
from malexbot.consumers.targets import Targets
from malexbot.pipe import Parts, Pipe
from malexbot.pipeline.lanes import Lanes
from malexbot.pipeline.runner import Runner
from malexbot.runtime.health import Health
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.leadership import Leadership
from tests.consumers.service import Service
from tests.support.redis import Cutter, RedisServer
from tests.support.threads import Running, eventually

_PUT = """
INSERT INTO jobs (kind, name, lane, payload, expires_at)
SELECT split_part(lane, ':', 1), lane, lane, payload::json,
  now() + left_s * interval '1 second'
FROM json_to_recordset(%s) AS told (lane text, payload text, left_s float8)
"""
_FAILING = """
UPDATE jobs SET attempts = 9, failures = 9, is_loose = true,
  failing_since = now() - interval '1 hour', due_at = now()
WHERE event_id IS NULL RETURNING id
"""


class World:
    """A queue, and all that delivers from it."""

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self._database = database
        self._leadership = leadership
        self.jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
        self.health = Health()
        self._stack = ExitStack()

    def put(self, to: str, *names: str, left_s: float | None = None) -> None:
        told = []
        for name in names:
            target = to.partition(" ")[0]
            payload = {"to": target, "event": {"n": name}, "id": name, "schema": 1}
            text = orjson.dumps(payload).decode()
            told.append({"lane": to, "payload": text, "left_s": left_s})
        with self._database.transaction() as cursor:
            cursor.execute(_PUT, [orjson.dumps(told).decode()])

    def deliver(self, **settings: Any) -> Targets:
        """From now on, until the end of the test."""
        config = Config.model_validate(settings)
        targets = Targets(config, jobs=self.jobs, health=self.health)
        runner = Runner(
            jobs=self.jobs,
            handlers={REDIS: targets, HTTP: targets},
            ended=[targets.ended],
        )
        lanes = Lanes(jobs=self.jobs, runner=runner, health=self.health, threads=4)
        self._stack.callback(targets.close)
        self._stack.enter_context(Running(lanes))
        return targets

    def live(self, folder: Path, **settings: Any) -> Pipe:
        """All of a daemon that jobs go through, with its eight workers."""
        config = Config.model_validate({"state_dir": folder, **settings})
        parts = Parts(config, self._database, self._leadership, self.health)
        pipe = Pipe(parts, server=None, readers={})
        self._stack.callback(pipe.targets.close)
        self._stack.enter_context(Running(pipe.lanes))
        return pipe

    def put_failing(self, to: str, number: int) -> None:
        """What has failed for so long that its lane has passed it."""
        self.put(to, *names(number, "failing-"))
        self.look(_FAILING)

    def rest(self) -> None:
        self._stack.close()

    def look(self, words: str) -> list[Any]:
        with self._database.transaction() as cursor:
            cursor.execute(words)
            return list(cursor.fetchall())

    def retry_all_dead(self) -> int:
        return Backlog(self._database).retry_all("dead")

    def is_done(self, state: str = "done") -> bool:
        found = self.look("SELECT DISTINCT state FROM jobs")
        return found == [(state,)]


@pytest.fixture
def world(migrated_database: Dsn) -> Iterator[World]:
    with ExitStack() as stack:
        leadership = Leadership(migrated_database)
        stack.callback(leadership.close)
        assert leadership.try_take()
        database = stack.enter_context(Database(migrated_database))
        made = World(database, leadership)
        stack.callback(made.rest)
        yield made


@pytest.fixture
def quick_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a minute before he tries again."""
    monkeypatch.setattr(gate, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(gate, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(gate, "TRIAL_S", 0.05)


def names(number: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{n}" for n in range(number)]


def delivered(server: RedisServer, stream: str) -> list[str]:
    with server.client() as client:
        found: Any = client.xrange(stream)
    return [fields["id"] for _, fields in found]


def test_a_full_lane_goes_in_few_turns_and_in_order(
    world: World, server: RedisServer
) -> None:
    with server.client() as client:
        client.config_resetstat()
    world.put("redis:a", *names(1000))
    world.put("redis:b", *names(10))
    targets = world.deliver(redis={"url": server.url})
    eventually(world.is_done)
    assert delivered(server, "a") == names(1000)
    assert delivered(server, "b") == names(10)
    assert world.look("SELECT DISTINCT attempts, failures FROM jobs") == [(1, 0)]
    with server.client() as client:
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] < 40
    (redis,) = targets.all
    assert redis.delivered == 1010


def test_what_is_retried_by_hand_goes_in_few_turns_and_in_order(
    world: World, server: RedisServer
) -> None:
    with server.client() as client:
        client.config_resetstat()
    world.put("redis:a", *names(300))
    world.look("UPDATE jobs SET state = 'dead', finished_at = now() RETURNING id")
    assert world.retry_all_dead() == 300
    world.put("redis:a", "new")
    world.deliver(redis={"url": server.url})
    eventually(world.is_done)
    found = delivered(server, "a")
    found.remove("new")
    assert found == names(300)
    with server.client() as client:
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] < 20


def test_what_was_delivered_before_a_crash_is_there_once(
    world: World, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the delivery and its end: the lease is over, and nothing told."""
    world.put("redis:a", *names(50))
    finish = world.jobs.finish
    crashes = [True, True, True]

    def cut_off(*args: Any, **more: Any) -> Any:
        if crashes:
            crashes.pop()
            world.look(
                "UPDATE jobs SET due_at = now() WHERE state = 'leased' RETURNING 1"
            )
            return None
        return finish(*args, **more)

    monkeypatch.setattr(world.jobs, "finish", cut_off)
    world.deliver(redis={"url": server.url, "batch": 20})
    eventually(world.is_done)
    assert not crashes
    assert delivered(server, "a") == names(50)


def test_a_line_that_breaks_loses_nothing_and_keeps_the_order(
    world: World, server: RedisServer, quick_trials: None
) -> None:
    dice = random.Random(5)
    with Cutter(server.port, lambda way, passed: dice.random() < 0.1) as line:
        for stream in "abc":
            world.put(f"redis:{stream}", *names(100))
        world.deliver(redis={"url": line.url, "batch": 10})
        eventually(world.is_done)
        world.rest()
    for stream in "abc":
        assert delivered(server, stream) == names(100)


@contextmanager
def troubled(server: RedisServer, trouble: str) -> Iterator[None]:
    if trouble == "frozen":
        with server.frozen():
            yield
    elif trouble == "full":
        with server.client() as client:
            client.config_set("maxmemory", 1)
            yield
            client.config_set("maxmemory", 0)
    else:
        server.stop()
        yield
        server.start()


@pytest.mark.parametrize("trouble", ["frozen", "full", "down"])
def test_what_is_away_is_waited_for_and_keeps_its_order(
    world: World,
    server: RedisServer,
    service: Service,
    quick_trials: None,
    trouble: str,
) -> None:
    """Many lanes to a Redis that hangs, and a service beside it that does not."""
    world.put("redis:a", *names(30))
    settings = {"redis": {"url": server.url, "time_out": 0.5}}
    settings["http"] = {"moderation": {"url": service.url}}
    with troubled(server, trouble):
        world.deliver(**settings)
        eventually(lambda: "redis" in world.health.parts())
        world.put("redis:a", *names(30, "later-"))
        for number in range(50):
            world.put(f"redis:{number}", "one")
        world.put("http:moderation", *names(20))
        # Nobody is kept from it by those who wait.
        eventually(lambda: len(service.calls) == 20)
        assert not world.look("SELECT FROM jobs WHERE kind='redis' AND state='done'")
    eventually(world.is_done)
    assert delivered(server, "a") == [*names(30), *names(30, "later-")]
    assert not world.look("SELECT FROM jobs WHERE is_loose")
    assert "redis" not in world.health.parts()


def test_a_redis_that_is_set_up_wrong_costs_no_event(
    world: World, server: RedisServer, quick_trials: None
) -> None:
    world.put("redis:a", *names(3))
    world.deliver(redis={"url": server.url.replace("/0", "/99")})
    eventually(lambda: "DB index" in world.health.parts().get("redis", ""))
    eventually(lambda: world.look("SELECT FROM jobs WHERE failures > 2"))
    assert not world.look("SELECT FROM jobs WHERE finished_at IS NOT NULL OR is_loose")
    world.rest()
    world.deliver(redis={"url": server.url})
    eventually(world.is_done)
    assert delivered(server, "a") == names(3)


def test_an_event_that_silences_its_service_is_passed_by_its_lane(
    world: World,
    service: Service,
    quick_trials: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target, "MOST_TRIALS", 3)
    service.unbearable = b"poison"
    world.put("http:moderation", "poison", *names(3))
    world.deliver(http={"moderation": {"url": service.url}})
    passed = [("ready", True), *[("done", False)] * 3]
    eventually(
        lambda: world.look("SELECT state, is_loose FROM jobs ORDER BY id") == passed
    )


def test_a_slow_service_has_its_share_of_the_workers(
    world: World, server: RedisServer, service: Service, tmp_path: Path
) -> None:
    """What it did not take comes again, all at once, and it hangs meanwhile."""
    world.put_failing("http:slow", 30)
    service.goes_on.clear()
    world.live(
        tmp_path,
        redis={"url": server.url},
        http={"slow": {"url": service.url, "time_out": "15s"}},
    )
    eventually(lambda: len(service.calls) == 4)
    for number in range(20):
        world.put(f"redis:{number}", "one")
    eventually(lambda: all(delivered(server, str(number)) for number in range(20)))
    assert len(service.calls) == 4
    service.goes_on.set()


def test_a_slow_redis_has_its_share_of_the_workers(
    world: World, server: RedisServer, service: Service, tmp_path: Path
) -> None:
    for number in range(20):
        world.put(f"redis:{number}", "one")
    world.look(_FAILING)
    settings = {"url": server.url, "time_out": "15s"}
    with server.frozen():
        pipe = world.live(tmp_path, redis=settings, http={"quick": service.url})
        eventually(lambda: pipe.lanes.busy == 4)
        world.put("http:quick", *names(20))
        eventually(lambda: len(service.calls) == 20)
        assert "redis" not in world.health.parts(), "they had to wait for its end"


def test_what_is_too_late_for_its_target_is_counted(
    world: World, server: RedisServer, quick_trials: None
) -> None:
    world.put("redis:a (buttons)", *names(30), left_s=0)
    world.put("redis:a (buttons)", "in-time", left_s=50)
    targets = world.deliver(redis={"url": server.url})
    eventually(lambda: delivered(server, "a") == ["in-time"])
    (redis,) = targets.all
    eventually(lambda: redis.expired == 30)
