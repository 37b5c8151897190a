"""The composition root: the only module that knows every part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from malexbot.config.events import MATTERMOST_EVENTS
from malexbot.config.model import Config
from malexbot.messengers.mattermost.messenger import Mattermost, Server
from malexbot.messengers.mattermost.translate import SOURCE as MATTERMOST
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.counters import Counters
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.effects import POST, REACT
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.intake import Intake
from malexbot.pipeline.lanes import Lanes
from malexbot.pipeline.orders import BACKFILL, BackfillOrders, Reader
from malexbot.pipeline.retention import Retention
from malexbot.pipeline.runner import Handler, Runner
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts, ChatReactions
from malexbot.ports import Chat
from malexbot.processors import build, builtin
from malexbot.readings import register, register_connection
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.runtime.scheduler import Scheduler
from malexbot.runtime.supervisor import Service
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.expiry import Expiry
from malexbot.storage.indexing import Indexing
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.upkeep import Upkeep
from malexbot.web.health import mount_health
from malexbot.web.reach import mount_reach
from malexbot.web.server import WebServer
from malexbot.web.status import mount_status

# Takes over what was prepared; cannot fail.
Adopt = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services of an active daemon stand on."""

    config: Config
    database: Database
    leadership: Leadership
    health: Health
    is_start: bool = True
    """No: the process stood by, or was at work, before it was its turn."""

    def epoch(self) -> int:
        """The number of our turn; raises Transient when it is not ours."""
        return self.leadership.epoch


@dataclass(frozen=True, slots=True)
class Composition:
    """The services of an active daemon, and how new settings reach them."""

    services: Sequence[Service]
    """In the order of their start."""
    prepare: Callable[[Config], Adopt]
    """Builds what new settings need; raises, and has changed nothing, if it cannot."""


Compose = Callable[[Parts], Composition]


def compose(parts: Parts) -> Composition:
    """All that an active daemon runs.

    It stops in reverse: first nothing new comes in, then what came in is written,
    then what was begun is ended.
    """
    config = parts.config
    server = Server(config.mattermost) if config.mattermost else None
    # Filled below: who reads needs the intake, and the intake wakes who asks him to.
    readers: dict[str, Reader] = {}
    pipe = Pipe(
        parts,
        chats={MATTERMOST: server.chat} if server else {},
        readers=readers,
        now_ms=server.now_ms if server else _now_ms,
    )
    metrics = Metrics()
    register(
        metrics,
        health=parts.health,
        intake=pipe.intake,
        lanes=pipe.lanes,
        database=parts.database,
    )
    web = WebServer(
        host=config.backend.host,
        port=config.backend.port,
        mounts=[
            lambda application: mount_health(application, parts.health),
            lambda application: mount_status(application, metrics, parts.health),
            mount_reach,
        ],
        health=parts.health,
    )
    upkeep = Upkeep(parts.database, longest_age_s=pipe.longest_age_s)
    indexing = Indexing(
        parts.database,
        epoch=parts.epoch,
        written=lambda: pipe.intake.counters.batches + pipe.intake.counters.kept,
    )
    expiry = Expiry(
        parts.database,
        keep_s=lambda: pipe.retention.keep_s,
        since_ms=lambda: pipe.retention.since_ms,
    )
    services: list[Service] = [web, upkeep, expiry, indexing, pipe.lanes, pipe.intake]
    if server is None:
        return Composition(services, pipe.prepare)

    mattermost = Mattermost(
        server,
        intake=pipe.intake,
        audience=pipe.audience,
        bookmarks=DatabaseBookmarks(parts.database, epoch=parts.epoch),
        backfill=config.backfill,
        retention=pipe.retention,
        health=parts.health,
    )
    mattermost.listener.is_start = parts.is_start
    readers[MATTERMOST] = mattermost.backfill
    register_connection(metrics, mattermost.listener)
    scheduler = Scheduler()
    scheduler.every(config.backfill.every, "backfill", mattermost.backfill.wake)
    services += [scheduler, *mattermost.services]

    def prepare(fresh: Config) -> Adopt:
        assert fresh.mattermost is not None, "the block comes or goes at a restart"
        adopts = (pipe.prepare(fresh), mattermost.prepare(fresh.mattermost))

        def adopt() -> None:
            for each in adopts:
                each()

        return adopt

    return Composition(services, prepare)


class Pipe:
    """What makes events durable, and what then acts on them."""

    def __init__(
        self,
        parts: Parts,
        *,
        chats: Mapping[str, Chat],
        readers: Mapping[str, Reader],
        now_ms: Callable[[], int],
    ) -> None:
        workers = parts.config.workers
        jobs = DatabaseJobs(parts.database, epoch=parts.epoch)
        self.audience = Audience()
        self.retention = Retention(parts.config.archive.retention, now_ms=now_ms)
        self._decider = Decider(
            processors=build(parts.config, builtin()),
            audience=self.audience,
            server_now_ms=now_ms,
            is_wanted=self.retention.wants,
        )
        self._guard = LoopGuard(workers.answers_per_minute)
        handlers: dict[str, Handler] = {
            RUN: ProcessorRuns(decider=self._decider, chats=chats, guard=self._guard),
            POST: ChatPosts(chats=chats, jobs=jobs),
            REACT: ChatReactions(chats),
            BACKFILL: BackfillOrders(readers),
        }
        self.lanes = Lanes(
            jobs=jobs,
            runner=Runner(jobs=jobs, handlers=handlers),
            health=parts.health,
            threads=workers.threads,
            time_out_s=workers.handler_timeout,
        )
        self.intake = Intake(
            journal=DatabaseJournal(parts.leadership),
            decider=self._decider,
            workers=self.lanes,
            health=parts.health,
            counters=Counters(MATTERMOST_EVENTS),
        )

    def longest_age_s(self) -> float:
        """No event that is older is acted on."""
        return self._decider.longest_age_s

    def prepare(self, config: Config) -> Adopt:
        """Processors of other settings; they decide from the next event on."""
        processors = build(config, builtin())

        def adopt() -> None:
            self._decider.adopt(processors)
            self._guard.most_a_minute = config.workers.answers_per_minute
            self.retention.keep_s = config.archive.retention

        return adopt


def _now_ms() -> int:
    return int(time.time() * 1000)
