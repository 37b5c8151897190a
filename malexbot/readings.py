"""Every number that an operator can read off a daemon, in one list.

Names follow Prometheus: base units, and `_total` for what only rises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from malexbot import __version__
from malexbot.messengers.vk.directory import Directory
from malexbot.messengers.vk.longpoll import LongPoll
from malexbot.pipeline.desk import Desk
from malexbot.pipeline.files import FileFetches
from malexbot.pipeline.intake import Intake
from malexbot.pipeline.lanes import Lanes
from malexbot.runtime.fresh import Fresh
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Labelled, Metrics
from malexbot.runtime.workstream import Workstream
from malexbot.storage.archive import Archive, ChannelState, Gap
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.files import FileCounts
from malexbot.storage.indexing import Lag, find_lag
from malexbot.web.server import WebServer

# There may be a million of them.
FILES_COUNTED_S = 30.0


def register(
    metrics: Metrics,
    *,
    health: Health,
    intake: Intake,
    lanes: Lanes,
    database: Database,
) -> None:
    """Once a daemon, before the page that shows them is served."""
    metrics.gauge(
        "build_info",
        "The version that runs.",
        lambda: {(__version__,): 1},
        labels=["version"],
    )
    metrics.gauge(
        "part_ready",
        "1 while the part does its work.",
        lambda: {(k,): bool(v["is_ready"]) for k, v in health.states().items()},
        labels=["part"],
    )
    _register_intake(metrics, intake)
    _register_lanes(metrics, lanes)
    _register_archive(metrics, database)


class Connection(Protocol):
    """Who listens to a messenger."""

    @property
    def name(self) -> str: ...

    @property
    def is_connected(self) -> bool: ...

    @property
    def number(self) -> int: ...

    @property
    def resumes(self) -> int: ...


def register_connections(metrics: Metrics, connections: Sequence[Connection]) -> None:
    """Once a daemon; there may be none."""
    metrics.gauge(
        "connection_up",
        "1 while events come in live.",
        lambda: {(each.name,): each.is_connected for each in connections},
        labels=["source"],
    )
    metrics.gauge(
        "connection_number",
        "The number of the last connection that was no resume.",
        lambda: {(each.name,): each.number for each in connections},
        labels=["source"],
    )
    metrics.counter(
        "connection_resumes",
        "Connections that went on where the last one ended.",
        lambda: {(each.name,): each.resumes for each in connections},
        labels=["source"],
    )


def register_vk(metrics: Metrics, poll: LongPoll, directory: Directory) -> None:
    """Once a daemon that listens to VK."""
    for name, told, read in (
        ("vk_gaps", "How often VK lost events.", lambda: poll.gaps),
        ("vk_duplicates", "Updates that came twice.", lambda: poll.duplicates),
        ("vk_names_asked", "Calls for names.", lambda: directory.numbers.calls),
        ("vk_names_failed", "Such that failed.", lambda: directory.numbers.failures),
        ("vk_names_known", "Names in mind.", lambda: directory.numbers.hits),
        ("vk_names_unknown", "Names asked for.", lambda: directory.numbers.misses),
    ):
        metrics.counter(name, told, read)


def register_files(
    metrics: Metrics, fetches: FileFetches, count: Callable[[], FileCounts]
) -> None:
    """Once a daemon; `count` asks the database."""
    metrics.counter(
        "files_fetched", "Files that were fetched.", lambda: fetches.fetched
    )
    metrics.counter(
        "files_fetched_bytes",
        "What came of files, cut off or whole.",
        lambda: fetches.bytes,
    )
    metrics.counter(
        "files_failures",
        "Files that could not be fetched for now.",
        lambda: fetches.failures,
    )
    counted = Fresh(count, name="files", keep_s=FILES_COUNTED_S)
    metrics.gauge(
        "files",
        "Files of kept posts by state.",
        lambda: _by_word(dict(counted().states)),
        labels=["state"],
    )
    metrics.gauge(
        "files_bytes",
        "What the kept files take on the disk, each content once.",
        lambda: counted().bytes,
    )


def register_desk(metrics: Metrics, desk: Desk) -> None:
    """Once a daemon that others call."""
    metrics.counter(
        "calls",
        "Commands, buttons, dialogs and hooks, by what became of the call.",
        lambda: _by_word(dict(desk.outcomes)),
        labels=["outcome"],
    )
    metrics.gauge(
        "calls_waiting", "Calls that wait for their answer.", lambda: desk.waiting
    )


def register_workstream(metrics: Metrics, workstream: Workstream) -> None:
    """Once a daemon, whether somebody is told or not."""
    metrics.counter(
        "workstream_told",
        "Records of what was done that were taken.",
        lambda: workstream.told,
    )
    metrics.counter(
        "workstream_dropped",
        "Records of what was done that nobody was told.",
        lambda: workstream.dropped,
    )
    metrics.gauge(
        "workstream_waiting", "Records that wait.", lambda: workstream.waiting
    )


def register_web(metrics: Metrics, web: WebServer) -> None:
    """Once a daemon that serves HTTP."""
    metrics.counter(
        "http_answers",
        "Answers by their code.",
        lambda: {(str(code),): n for code, n in web.tally.answers.items()},
        labels=["code"],
    )
    metrics.counter(
        "http_refusals",
        "What nobody was asked to answer, by the reason.",
        lambda: _by_word(web.tally.refusals),
        labels=["reason"],
    )
    metrics.gauge("http_connections", "Open ones.", lambda: web.connections)
    metrics.gauge(
        "http_waiting", "Requests that wait for a thread.", lambda: web.waiting
    )


def _register_intake(metrics: Metrics, intake: Intake) -> None:
    counted = intake.counters
    for name, told, read in (
        ("events", "Events that came in.", lambda: counted.events),
        ("events_kept", "Events that the archive kept.", lambda: counted.kept),
        ("events_rejected", "What could not be kept.", lambda: counted.rejected),
        ("events_refused", "Refused by a full intake.", lambda: counted.dropped),
        ("jobs_asked", "Jobs that events asked for.", lambda: counted.jobs),
        ("intake_batches", "Transactions that were written.", lambda: counted.batches),
        ("intake_failures", "Transactions that failed.", lambda: counted.failures),
    ):
        metrics.counter(name, told, read)
    metrics.counter(
        "events_unknown",
        "Events of a name that nobody has heard of.",
        lambda: _by_word(dict(counted.unknown)),
        labels=["name"],
    )
    metrics.gauge(
        "intake_waiting", "Events that wait to become durable.", lambda: intake.depth
    )
    metrics.gauge(
        "intake_lag_seconds",
        "How old the newest live event was when it became durable.",
        lambda: counted.lag_ms / 1000,
    )


def _register_lanes(metrics: Metrics, lanes: Lanes) -> None:
    metrics.gauge("lanes_busy", "Jobs that are being done.", lambda: lanes.busy)
    metrics.counter(
        "lanes_overruns",
        "Handlers that took too long and were given up.",
        lambda: lanes.overruns,
    )


class Picture(NamedTuple):
    """What the database shows at one time."""

    channels: Sequence[ChannelState]
    gaps: Sequence[Gap]
    lost: Sequence[Gap]
    jobs: dict[str, int]
    rejects: int
    unindexed: Lag


def _register_archive(metrics: Metrics, database: Database) -> None:
    archive, backlog = Archive(database), Backlog(database)

    def look() -> Picture:
        return Picture(
            channels=archive.channels(),
            gaps=archive.gaps(),
            lost=archive.lost(),
            jobs=backlog.count(),
            rejects=archive.rejects(),
            unindexed=find_lag(database),
        )

    picture = Fresh(look, name="readings of the database")
    for name, told, of in _CHANNELS:
        metrics.gauge(name, told, _of_channels(picture, of), labels=["channel", "name"])
    metrics.gauge(
        "gaps_open",
        "What is known to be missing, by kind.",
        lambda: _by_word(Counter(gap.kind for gap in picture().gaps)),
        labels=["kind"],
    )
    metrics.gauge(
        "gaps_lost",
        "What a messenger lost within a day, and nobody can fetch any more.",
        lambda: _by_word(Counter(gap.source for gap in picture().lost)),
        labels=["source"],
    )
    metrics.gauge(
        "jobs", "Jobs by state.", lambda: _by_word(picture().jobs), labels=["state"]
    )
    metrics.gauge(
        "search_waiting",
        "Posts that the index of the search does not know yet.",
        lambda: picture().unindexed.posts,
    )
    metrics.gauge(
        "search_lag_seconds",
        "How long the oldest of them waits.",
        lambda: picture().unindexed.seconds,
    )
    metrics.gauge(
        "rejects", "Different things that could not be kept.", lambda: picture().rejects
    )


# None: the channel has no such number.
OfChannel = Callable[[ChannelState], float | None]

_CHANNELS: tuple[tuple[str, str, OfChannel], ...] = (
    (
        "channel_lag_seconds",
        "From the newest post that is archived without a gap to the newest there is.",
        # Before the first page it would be the age of the world.
        lambda channel: channel.lag_ms / 1000 if channel.mark_at else None,
    ),
    (
        "channel_history_done",
        "1 once everything from before was fetched.",
        lambda channel: channel.is_history_done,
    ),
    (
        "channel_accessible",
        "1 while the bot can read it.",
        lambda channel: channel.is_accessible,
    ),
)


def _of_channels(
    picture: Callable[[], Picture], of: OfChannel
) -> Callable[[], Labelled]:
    def read() -> Labelled:
        found = {(c.channel_id, c.name): of(c) for c in picture().channels}
        return {
            labels: number for labels, number in found.items() if number is not None
        }

    return read


def _by_word(numbers: dict[str, int]) -> Labelled:
    return {(word,): number for word, number in numbers.items()}
