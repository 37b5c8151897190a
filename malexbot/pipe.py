"""The pipe of one daemon: what makes events durable, what acts on them, who is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from malexbot.config.events import MATTERMOST_EVENTS, VK_EVENTS
from malexbot.config.model import Config
from malexbot.consumers.parcel import HTTP, REDIS
from malexbot.consumers.targets import Targets, target_of
from malexbot.consumers.trimming import Trimming
from malexbot.consumers.workstream.open import prepare as prepare_workstream
from malexbot.events import Id
from malexbot.messengers.mattermost.messenger import Server
from malexbot.messengers.mattermost.translate import SOURCE as MATTERMOST
from malexbot.messengers.vk.messenger import Community
from malexbot.messengers.vk.translate import SOURCE as VK
from malexbot.pipeline.answers import ChatAnswers, ChatDialogs, ChatEdits, ChatUploads
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.counters import Counters
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.deeds import Deeds
from malexbot.pipeline.desk import Desk, Witness
from malexbot.pipeline.effects import DIALOG, EDIT, POST, REACT, UPLOAD
from malexbot.pipeline.files import FILE, FileFetches
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.intake import Intake
from malexbot.pipeline.lanes import Lanes
from malexbot.pipeline.orders import BACKFILL, BackfillOrders, Reader
from malexbot.pipeline.reply import ANSWER, ANSWERABLE
from malexbot.pipeline.retention import Retention
from malexbot.pipeline.runner import Handler, Runner
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts, ChatReactions
from malexbot.pipeline.shares import Shared, Shares
from malexbot.pipeline.sight import PersonsSearch, Sight, english
from malexbot.plugins import malex
from malexbot.plugins.schedule import Ticks
from malexbot.ports import Chat, Processor
from malexbot.processors import build, builtin
from malexbot.runtime.health import Health
from malexbot.runtime.workstream import Workstream
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.files import DatabaseFiles
from malexbot.storage.filing import Filing, Wishes
from malexbot.storage.grants import DatabaseGrants
from malexbot.storage.insight import DatabaseInsight
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.matches import Matches
from malexbot.storage.store import DatabaseStore
from malexbot.storage.ways import DatabaseWays

# So many files come side by side; of a few workers half are for answers alone.
MOST_FILES = 4

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


class Pipe:
    """All between the messengers' two ends; `server` and `community` are them."""

    def __init__(
        self,
        parts: Parts,
        *,
        server: Server | None,
        community: Community | None = None,
        readers: Mapping[str, Reader],
    ) -> None:
        config, database, workers = parts.config, parts.database, parts.config.workers
        self.now_ms = now_ms = server.now_ms if server else _now_ms
        jobs = DatabaseJobs(database, epoch=parts.epoch)
        chats = _chats(server, community)
        store = DatabaseStore(database)
        neighbours = {VK: community.neighbour(store)} if community else {}
        self.workstream = Workstream(parts.health)
        prepare_workstream(self.workstream, config)()
        deeds = Deeds(self.workstream)
        parts.health.on_change = deeds.changed
        self.audience = Audience()
        self.grants = DatabaseGrants(database)
        self.retention = Retention(config.archive.retention, now_ms=now_ms)
        self.desk = Desk(
            offer=lambda event: self.intake.offer(event),
            decide=lambda event: self._decider.decide(event),
            now_ms=now_ms,
            locale=_known_locale(server) if server else english,
        )
        self._insight = DatabaseInsight(database, parts.health.states)
        self._guard = LoopGuard(workers.answers_per_minute)
        self._decider = Decider(
            processors=self._processors(config),
            audience=self.audience,
            server_now_ms=now_ms,
            is_wanted=self.retention.wants,
            neighbours=neighbours,
        )
        runs = ProcessorRuns(
            decider=self._decider,
            chats=chats,
            guard=self._guard,
            desk=self.desk,
            grants=self.grants,
            sight=_sight(database, store, server),
            neighbours=neighbours,
        )
        contents = Contents.of(config.state_dir)
        self.filing = Filing(
            database,
            contents,
            epoch=parts.epoch,
            wishes=_wishes(config),
            health=parts.health,
            side_by_side=min(MOST_FILES, max(1, workers.threads // 2)),
        )
        self.fetches = FileFetches(
            sources={MATTERMOST: server.files} if server else {},
            archive=DatabaseFiles(database, contents),
            largest=lambda: self.filing.wishes.largest,
            ended=self.filing.wake,
        )
        self.targets = Targets(config, jobs=jobs, health=parts.health)
        self.trimming = Trimming(lambda: self.targets.bus, parts.health)
        shares = Shares(workers.threads)
        deliveries = Shared(self.targets, shares, target_of)
        posts = ChatPosts(chats=chats, jobs=jobs, grants=self.grants)
        handlers: dict[str, Handler] = {
            RUN: runs,
            POST: Shared(posts, shares),
            REACT: Shared(ChatReactions(chats), shares),
            EDIT: Shared(ChatEdits(chats), shares),
            UPLOAD: Shared(ChatUploads(chats), shares),
            DIALOG: ChatDialogs(chats),
            ANSWER: ChatAnswers(
                chats=chats, desk=self.desk, ways=DatabaseWays(database)
            ),
            BACKFILL: BackfillOrders(readers),
            FILE: self.fetches,
            REDIS: deliveries,
            HTTP: deliveries,
        }
        runner = Runner(
            jobs=jobs,
            handlers=handlers,
            amends=runs.amends,
            ended=[self.desk.ended, deeds.ended, self.targets.ended],
        )
        self.lanes = Lanes(
            jobs=jobs,
            runner=runner,
            health=parts.health,
            threads=workers.threads,
            time_out_s=workers.handler_timeout,
        )
        self.filing.on_jobs = self.lanes.wake
        self.filing.on_end = self.fetches.halt
        self.intake = Intake(
            journal=DatabaseJournal(parts.leadership),
            decider=self._decider,
            workers=self.lanes,
            health=parts.health,
            written=deeds.written,
            counters=Counters(MATTERMOST_EVENTS | VK_EVENTS),
        )
        self.ticks = Ticks(self._called(config), offer=self.intake.offer, now_ms=now_ms)

    def longest_age_s(self) -> float:
        """No event that is older is acted on."""
        return self._decider.longest_age_s

    def prepare(self, config: Config) -> Adopt:
        """Processors of other settings; they decide from the next event on."""
        processors, called = self._processors(config), self._called(config)
        adopt_workstream = prepare_workstream(self.workstream, config)
        adopt_targets = self.targets.prepare(config)

        def adopt() -> None:
            # First: the new rules may name new ones.
            adopt_targets()
            self._decider.adopt(processors)
            self._guard.most_a_minute = config.workers.answers_per_minute
            self.retention.keep_s = config.archive.retention
            self.filing.adopt(_wishes(config))
            self.ticks.adopt(called)
            adopt_workstream()

        return adopt

    def _processors(self, config: Config) -> Mapping[str, Sequence[Processor]]:
        """By the events that they are for; the desk looks at what somebody asks."""
        built = build(config, builtin(), self._own(config))
        witness = Witness(self.desk)
        asked = {name: [*built.get(name, ()), witness] for name in ANSWERABLE}
        return {**built, **asked}

    def _own(self, config: Config) -> Sequence[Processor]:
        return malex.built_in(
            self._insight,
            config.plugged.handlers,
            roles=config.roles,
            permissions=config.permissions,
        )

    def _called(self, config: Config) -> Sequence[Processor]:
        """Whom the clock may call."""
        return [*self._own(config), *config.plugged.handlers]


def _wishes(config: Config) -> Wishes:
    """Without a server there is nobody to fetch a file from."""
    keeps = config.archive.keeps_files and config.mattermost is not None
    return Wishes(keeps=keeps, largest=config.archive.largest_file)


def _chats(server: Server | None, community: Community | None) -> Mapping[str, Chat]:
    chats: dict[str, Chat] = {}
    if server:
        chats[MATTERMOST] = server.chat
    if community:
        chats[VK] = community.chat
    return chats


def _sight(database: Database, store: DatabaseStore, server: Server | None) -> Sight:
    if server is None:
        return Sight(store)
    people = server.people
    match = Matches(database, server=server.settings.site_url)
    find = PersonsSearch(match=match, is_member=people.is_member)
    return Sight(store, find, lambda user: people.locale(str(user)))


def _known_locale(server: Server) -> Callable[[Id], str]:
    return lambda user: server.people.known_locale(str(user))


def _now_ms() -> int:
    return int(time.time() * 1000)
