"""VK events on their way to Redis, under a daemon that is killed at any step of it.

The loopback VK, PostgreSQL, Redis and the daemon are processes of their own; the lines
to PostgreSQL and to Redis are ours. A step is a COMMIT or a command to Redis: before
and after each the daemon is killed with a chance, and started again at once.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import yaml

from malexbot.sandbox.vk.control import VkControl
from malexbot.sandbox.vk.process import VkSandboxProcess
from malexbot.sandbox.vk.world import VkSettings
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.crash.daemons import PATIENCE_S, Daemons
from tests.crash.proxy import Proxy
from tests.crash.redis_line import RedisLine
from tests.crash.streams import disordered, doubled, lost, read
from tests.crash.strikes import Moment, Strike
from tests.support.redis import RedisServer
from tests.support.settings import db_block, free_port
from tests.support.threads import eventually

MOMENTS: tuple[Moment, ...] = ("before", "after")
# What is on the disk when it is answered for survives a kill of Redis.
LASTING = ("--appendfsync", "always")
LOOK_S = 0.2
# A second copy would come within that.
QUIET_S = 1.0
# By VK's names: where each of them goes, by the rules below.
STREAMS = {
    "message_new": "message",
    "message_edit": "edit",
    "message_event": "button",
    "message_reaction_event": "reaction",
}
COMMANDS = "commands"
RULES = [
    {
        "name": "commands",
        "when": "event.event_type == 'command'",
        "to": f"redis:{COMMANDS}",
    },
    {"name": "rest", "to": "redis:{{ event.event_type }}"},
]
_JOBS = """
SELECT count(*) FILTER (WHERE kind = 'run'),
  count(*) FILTER (WHERE finished_at IS NULL) FROM jobs
"""
_EXPIRED = """
SELECT run.event_id FROM jobs JOIN jobs run ON run.id = jobs.parent
WHERE jobs.state = 'expired'
"""


@dataclass
class Found:
    """What came of it on the side of Redis."""

    events: int = 0
    kills: int = 0
    expired: int = 0
    """Presses that were older than 50 s: that they are handed on is not promised."""
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    """Event ids, as those below."""
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)


class RouteStage(Daemons):
    """One community, one Redis, and one daemon after the other between them."""

    def __init__(
        self,
        *,
        vk: VkControl,
        redis: RedisServer,
        database_line: Proxy,
        redis_line: RedisLine,
        config: Path,
        database: Database,
    ) -> None:
        super().__init__(config)
        self.vk = vk
        self.redis = redis
        self.database_line = database_line
        self.redis_line = redis_line
        self._database = database

    # The daemons.

    def begin_to_listen(self) -> None:
        """What is told before the first mark is nobody's to know."""
        self.start()
        eventually(self._is_marked)
        self.stop()

    def live_dangerously(
        self,
        choice: random.Random,
        chance: float,
        is_over: Callable[[], bool],
        *,
        most: float = math.inf,
    ) -> int:
        """Killed with that chance at each step, until it is over; how often it was."""
        kills = 0
        while True:
            self.disarm()
            if kills < most:
                self._arm(choice, chance)
            daemon = self.start()
            while not is_over():
                with suppress(TimeoutExpired):
                    daemon.wait(LOOK_S)
                    break
            else:
                self.disarm()
                return kills
            self.wait_for_the_kill()
            kills += 1

    def disarm(self) -> None:
        self.database_line.heal()
        self.redis_line.heal()

    def _arm(self, choice: random.Random, chance: float) -> None:
        """At the k-th step of its life: the same as a chance at each."""
        for line in (self.database_line, self.redis_line):
            for moment in MOMENTS:
                at = _tries(choice, chance)
                act = self._told_kill(
                    f"killed {moment} step {at} of {type(line).__name__}"
                )
                line.strike(Strike(at, moment, act))

    def _told_kill(self, what: str) -> Callable[[], None]:
        def kill() -> None:
            self.tell(what)
            self.kill()

        return kill

    # What is seen.

    def _is_marked(self) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT FROM feeds")
            return bool(cursor.rowcount)

    def is_settled(self) -> bool:
        """Yes: all that was told so far has come to its end, whatever that is."""
        with self._database.transaction() as cursor:
            cursor.execute(_JOBS)
            runs, unfinished = cursor.fetchone() or (0, 0)
        return not unfinished and runs >= len(self.vk.ledger.updates())

    def expired(self) -> set[str]:
        """The presses that nobody waited for any more when they could be handed on."""
        with self._database.transaction() as cursor:
            cursor.execute(_EXPIRED)
            return {event_id for (event_id,) in cursor.fetchall()}

    def wait_until_all_is_there(self) -> None:
        """Or for as long as one may wait; a second copy is waited for too."""
        until, pause = time.monotonic() + PATIENCE_S, threading.Event()
        while not self.is_settled() and time.monotonic() < until:
            pause.wait(LOOK_S)
        pause.wait(QUIET_S)

    def told(self) -> dict[str, str]:
        """The ids of what VK told, in its order, and the stream of each."""
        return dict(_told(update) for update in self.vk.ledger.updates())

    def found(self) -> Found:
        """The streams, held against the ledger of VK."""
        told, expired = self.told(), self.expired()
        streams = read(self.redis, (*STREAMS.values(), COMMANDS))
        return Found(
            events=len(told),
            expired=len(expired),
            lost=[*lost(told, streams, expired)],
            doubled=[*doubled(streams)],
            disordered=[*disordered(told, streams)],
        )


def play(
    stage: RouteStage,
    seed: int,
    *,
    events: int,
    chance: float,
    per_second: float,
    most_kills: float = math.inf,
    between: Mapping[int, Callable[[], object]] | None = None,
) -> Found:
    """So many events; `between`: what is done once so many of them were told."""
    choice, due = random.Random(seed), sorted((between or {}).items())
    began = time.monotonic()
    stage.begin_to_listen()
    load = stage.vk.load
    load.start(per_second=per_second, most=events, seed=seed)

    def is_over() -> bool:
        while due and load.made() >= due[0][0]:
            due.pop(0)[1]()
        return load.made() >= events and stage.is_settled()

    kills = stage.live_dangerously(choice, chance, is_over, most=most_kills)
    stage.wait_until_all_is_there()
    found = stage.found()
    found.kills, found.seconds = kills, time.monotonic() - began
    return found


@contextmanager
def staged(dsn: Dsn, folder: Path) -> Iterator[RouteStage]:
    """On a migrated database."""
    vk_process = VkSandboxProcess()
    redis = RedisServer(folder, *LASTING)
    try:
        vk = vk_process.start()
        redis.start()
        with (
            Database(dsn) as database,
            Proxy(dsn) as database_line,
            RedisLine(redis.port) as redis_line,
        ):
            config = folder / "malexbot.yaml"
            config.write_text(_config(folder, vk, database_line.dsn, redis_line.url))
            stage = RouteStage(
                vk=vk,
                redis=redis,
                database_line=database_line,
                redis_line=redis_line,
                config=config,
                database=database,
            )
            try:
                yield stage
            finally:
                stage.stop()
    finally:
        redis.stop()
        vk_process.kill()


def _config(folder: Path, vk: VkControl, dsn: Dsn, redis_url: str) -> str:
    known = VkSettings()
    return yaml.safe_dump(
        {
            "state_dir": str(folder / "state"),
            "backend": {"host": "127.0.0.1", "port": free_port()},
            "db": db_block(dsn),
            "vk": {
                "token": known.token,
                "group_id": known.group_id,
                "api_base": vk.api_base,
                "target_events_processors": {name: ["route"] for name in STREAMS},
            },
            "redis": {"url": redis_url},
            "routes": RULES,
        }
    )


def _tries(choice: random.Random, chance: float) -> int:
    """How many it takes until the first one that succeeds."""
    return 1 + int(math.log(1 - choice.random()) / math.log(1 - chance))


def _told(update: Any) -> tuple[str, str]:
    text = update["object"].get("message", {}).get("text", "")
    is_command = update["type"] == "message_new" and text.startswith("/")
    stream = COMMANDS if is_command else STREAMS[update["type"]]
    return update["event_id"], stream
