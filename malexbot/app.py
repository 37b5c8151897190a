"""The composition root: the only module that knows every part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from malexbot.config.model import Config
from malexbot.consumers.parcel import HTTP, REDIS
from malexbot.consumers.readings import register_bus, register_targets
from malexbot.messengers.mattermost.callbacks.doors import WAIT_S, doors
from malexbot.messengers.mattermost.messenger import Mattermost, Server
from malexbot.messengers.mattermost.translate import SOURCE as MATTERMOST
from malexbot.messengers.vk.messenger import Community
from malexbot.messengers.vk.messenger import Listener as VkListener
from malexbot.pipe import Adopt, Parts, Pipe
from malexbot.pipeline.orders import Reader
from malexbot.plugins.hooks import Hooks
from malexbot.ports import Door
from malexbot.readings import (
    Connection,
    register,
    register_connections,
    register_desk,
    register_files,
    register_vk,
    register_web,
    register_workstream,
)
from malexbot.runtime.metrics import Metrics
from malexbot.runtime.scheduler import Scheduler
from malexbot.runtime.supervisor import Service
from malexbot.storage.backlog import Backlog
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.expiry import Expiry
from malexbot.storage.files import count_files
from malexbot.storage.indexing import Indexing
from malexbot.storage.upkeep import Upkeep
from malexbot.web.callbacks import HOOKS, mount_callbacks
from malexbot.web.health import mount_health
from malexbot.web.reach import mount_reach
from malexbot.web.server import WebServer
from malexbot.web.status import mount_status


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
    server, community = _server(config), _community(config)
    # Filled below: who reads needs the intake, and the intake wakes who asks him to.
    readers: dict[str, Reader] = {}
    pipe = Pipe(parts, server=server, community=community, readers=readers)
    metrics = _metrics(parts, pipe)
    hooks = Hooks(
        config.webhooks,
        offer=lambda event: pipe.desk.keep(event, WAIT_S),
        now_ms=pipe.now_ms,
    )
    called: dict[str, Door] = {HOOKS: hooks}
    web = _web(parts, metrics, called)
    register_web(metrics, web)
    services: list[Service] = [
        pipe.workstream,
        web,
        *_housekeeping(parts, pipe),
        pipe.trimming,
        pipe.targets,
        pipe.lanes,
        pipe.filing,
        pipe.intake,
        pipe.ticks,
    ]
    prepares = [pipe.prepare, lambda fresh: lambda: hooks.adopt(fresh.webhooks)]
    connections: list[Connection] = []
    if community:
        vk = _vk(parts, pipe, community)
        services.append(vk)
        connections.append(vk)
        register_vk(metrics, vk.poll, community.directory)
    if server:
        called |= _doors(parts, pipe, server)
        mattermost = _mattermost(parts, pipe, server)
        readers[MATTERMOST] = mattermost.backfill
        scheduler = Scheduler()
        scheduler.every(config.backfill.every, "backfill", mattermost.backfill.wake)
        services += [scheduler, *mattermost.services]
        connections.append(mattermost.listener)
        prepares.append(_prepare(mattermost))
    register_connections(metrics, connections)
    return Composition(services, _together(prepares))


def _vk(parts: Parts, pipe: Pipe, community: Community) -> VkListener:
    return VkListener(
        community,
        intake=pipe.intake,
        feeds=DatabaseBookmarks(parts.database, epoch=parts.epoch),
        grants=pipe.grants,
        health=parts.health,
    )


def _doors(parts: Parts, pipe: Pipe, server: Server) -> Mapping[str, Door]:
    """Where the server calls us."""
    return doors(
        server,
        desk=pipe.desk,
        grants=pipe.grants,
        commands=DatabaseCommands(parts.database, MATTERMOST),
    )


def _mattermost(parts: Parts, pipe: Pipe, server: Server) -> Mattermost:
    mattermost = Mattermost(
        server,
        intake=pipe.intake,
        audience=pipe.audience,
        bookmarks=DatabaseBookmarks(parts.database, epoch=parts.epoch),
        backfill=parts.config.backfill,
        retention=pipe.retention,
        health=parts.health,
    )
    mattermost.listener.is_start = parts.is_start
    return mattermost


def _prepare(mattermost: Mattermost) -> Callable[[Config], Adopt]:
    def prepare(fresh: Config) -> Adopt:
        assert fresh.mattermost is not None, "the block comes or goes at a restart"
        return mattermost.prepare(fresh.mattermost)

    return prepare


def _server(config: Config) -> Server | None:
    if config.mattermost is None:
        return None
    return Server(config.mattermost, public_url=config.backend.public_url or "")


def _community(config: Config) -> Community | None:
    return Community(config.vk) if config.vk else None


def _metrics(parts: Parts, pipe: Pipe) -> Metrics:
    metrics = Metrics()
    register(
        metrics,
        health=parts.health,
        intake=pipe.intake,
        lanes=pipe.lanes,
        database=parts.database,
    )
    register_desk(metrics, pipe.desk)
    register_workstream(metrics, pipe.workstream)
    waiting = partial(Backlog(parts.database).waiting, [REDIS, HTTP])
    register_targets(metrics, pipe.targets, waiting)
    register_bus(metrics, pipe.trimming)
    register_files(
        metrics,
        pipe.fetches,
        lambda: count_files(parts.database, largest=pipe.filing.wishes.largest),
    )
    return metrics


def _web(parts: Parts, metrics: Metrics, called: dict[str, Door]) -> WebServer:
    backend = parts.config.backend
    return WebServer(
        host=backend.host,
        port=backend.port,
        mounts=[
            lambda application: mount_health(application, parts.health),
            lambda application: mount_status(application, metrics, parts.health),
            mount_reach,
            lambda application: mount_callbacks(application, called),
        ],
        health=parts.health,
        trusted_proxies=backend.trusted_proxies,
    )


def _housekeeping(parts: Parts, pipe: Pipe) -> Sequence[Service]:
    """What keeps the database in order."""
    return (
        Upkeep(parts.database, longest_age_s=pipe.longest_age_s),
        Expiry(
            parts.database,
            keep_s=lambda: pipe.retention.keep_s,
            since_ms=lambda: pipe.retention.since_ms,
        ),
        Indexing(
            parts.database,
            epoch=parts.epoch,
            written=lambda: pipe.intake.counters.batches + pipe.intake.counters.kept,
            on_files=pipe.filing.wake,
        ),
    )


def _together(
    prepares: Sequence[Callable[[Config], Adopt]],
) -> Callable[[Config], Adopt]:
    """All of them are prepared before the first takes over."""

    def prepare(fresh: Config) -> Adopt:
        adopts = [each(fresh) for each in prepares]

        def adopt() -> None:
            for each in adopts:
                each()

        return adopt

    return prepare
