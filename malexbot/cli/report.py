"""The state of malexbot as lines for a person, and as an object for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from malexbot.cli.export.book import readable_size
from malexbot.cli.findings import Finding, is_elsewhere
from malexbot.cli.survey import DaemonView, DatabaseView, Survey
from malexbot.config.model import Config
from malexbot.storage.archive import ChannelState, Gap
from malexbot.storage.files import FileCounts
from malexbot.storage.indexing import Lag

# Of the channels that lag, and of the gaps, so many are shown without --all.
MOST_SHOWN = 5
WIDTH = 13
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
_FILE_STATES = {
    "too large": "too large",
    "closed": "not for the bot to read",
    "gone": "gone from the server",
}


def summary(survey: Survey, found: Sequence[Finding], config: Config) -> str:
    """One line: how it is, in words."""
    if len(found) == 1:
        return clean(f"malexbot is not well: {found[0].what}")
    if found:
        return f"malexbot is not well: {len(found)} things are wrong"
    words = [_connected(survey, config)]
    if survey.database is not None:
        if config.mattermost or survey.database.channels:
            words += _of_channels(survey.database.channels)
        words.append(_waiting(survey.database, survey.daemon))
    return f"malexbot is well: {', '.join(words)}"


def _connected(survey: Survey, config: Config) -> str:
    if is_elsewhere(survey) and survey.database and survey.database.holder:
        return clean(f"active on {survey.database.holder.host}, ask there for more")
    is_listening = config.mattermost or config.vk
    return "connected" if is_listening else "listens to nothing"


def _of_channels(channels: Sequence[ChannelState]) -> Iterator[str]:
    yield counted(sum(each.is_accessible for each in channels), "channel")
    if lost := sum(not each.is_accessible for each in channels):
        yield f"{lost} lost"
    if behind := sum(_is_behind(each) for each in channels):
        yield f"{behind} being read"


def _is_behind(channel: ChannelState) -> bool:
    return channel.is_accessible and channel.lag_ms > 0


def _waiting(database: DatabaseView, daemon: DaemonView | None) -> str:
    jobs = database.jobs.get("ready", 0) + database.jobs.get("leased", 0)
    events = int(daemon.number("intake_waiting")) if daemon else 0
    words = [counted(n, what) for n, what in ((events, "event"), (jobs, "job")) if n]
    return f"{' and '.join(words)} waiting" if words else "nothing waits"


# For a person.


def lines(
    survey: Survey, found: Sequence[Finding], *, is_whole: bool = False
) -> Iterator[str]:
    """What follows the summary: what to do, then what there is to know."""
    facts = tuple(_facts(survey, is_whole))
    for line in (*_cures(found), *([""] if facts else []), *facts):
        yield clean(line)


def _cures(found: Sequence[Finding]) -> Iterator[str]:
    if len(found) == 1:
        yield f"  -> {found[0].cure}"
        return
    for what, cure in found:
        yield f"  {what}"
        yield f"    -> {cure}"


def _facts(survey: Survey, is_whole: bool) -> Iterator[str]:
    if survey.database is not None and (holder := survey.database.holder):
        yield fact("active", f"{holder}, version {holder.version}")
    if survey.daemon is not None:
        yield from _of_daemon(survey.daemon)
    if survey.database is not None:
        yield from _of_database(survey.database, is_whole)


def _of_daemon(daemon: DaemonView) -> Iterator[str]:
    number = daemon.number
    states = {part.name: part.state for part in daemon.parts}
    for source, name in (("mattermost", "connection"), ("vk", "VK")):
        if source in states:
            where = {"source": source}
            state = "up" if number("connection_up", **where) else states[source]
            yield fact(
                name,
                f"number {number('connection_number', **where):.0f}, resumed"
                f" {number('connection_resumes_total', **where):.0f} times: {state}",
            )
    if "vk" in states:
        yield fact("VK names", _of_names(daemon))
    if "backfill" in states:
        yield fact("backfill", states["backfill"])
    refused = number("events_refused_total")
    yield fact(
        "intake",
        f"{number('intake_waiting'):.0f} waiting, {number('events_total'):.0f} came in,"
        f" {number('events_kept_total'):.0f} kept,"
        f"{f' {refused:.0f} refused when it was full,' if refused else ''}"
        f" lag {number('intake_lag_seconds'):.1f} s",
    )
    yield fact(
        "lanes",
        f"{number('lanes_busy'):.0f} busy,"
        f" {number('lanes_overruns_total'):.0f} jobs given up for taking too long",
    )
    if "workstream" in states:
        yield fact(
            "workstream",
            f"{number('workstream_told_total'):.0f} told,"
            f" {number('workstream_dropped_total'):.0f} dropped:"
            f" {states['workstream']}",
        )


def _of_names(daemon: DaemonView) -> str:
    known = daemon.number("vk_names_known_total")
    asked = known + daemon.number("vk_names_unknown_total")
    calls = daemon.number("vk_names_asked_total")
    share = f"{known / asked:.0%} in mind" if asked else "none was needed"
    return f"{share}, {counted(round(calls), 'call')}"


def _of_database(database: DatabaseView, is_whole: bool) -> Iterator[str]:
    jobs = (f"{number} {state}" for state, number in database.jobs.items() if number)
    yield fact("jobs", ", ".join(jobs) or "none")
    yield fact("rejects", f"{database.rejects or 'none'}")
    yield fact("search", _indexed(database.unindexed))
    if database.files.states:
        yield fact("files", ", ".join(_of_files(database.files)))
    yield from _channels(database.channels, is_whole)
    yield from _gaps(database.gaps, is_whole)
    yield from _lost(database.lost, is_whole)


def _indexed(lag: Lag) -> str:
    if lag.posts == 0:
        return "all is indexed"
    posts = counted(lag.posts, "post")
    return f"{posts} not indexed yet, the oldest for {lasted(lag.seconds)}"


def _of_files(files: FileCounts) -> Iterator[str]:
    states = files.states
    waiting = states.get("waiting", 0) + states.get("fetching", 0)
    yield f"{states.get('kept', 0):,} kept ({readable_size(files.bytes)})"
    if waiting:
        yield f"{waiting:,} not fetched"
    for state, told in _FILE_STATES.items():
        if state in states:
            yield f"{states[state]:,} {told}"
    if not files.is_whole:
        yield "older posts are still looked through"


def _channels(channels: Sequence[ChannelState], is_whole: bool) -> Iterator[str]:
    unread = sum(map(_lacks_history, channels))
    history = f", the history of {unread} is not all read yet" if unread else ""
    yield fact("channels", f"{len(channels)}{history}")
    worst = sorted(channels, key=lambda c: (c.is_accessible, -c.lag_ms, c.name))
    shown = [c for c in worst if is_whole or _is_behind(c) or not c.is_accessible]
    for channel in shown if is_whole else shown[:MOST_SHOWN]:
        yield f"  {_state(channel):<{WIDTH}}{channel.name} ({channel.channel_id})"
    yield from _more(len(shown), is_whole)


def _lacks_history(channel: ChannelState) -> bool:
    """No for a channel without a post: it has no history."""
    has_posts = channel.mark_at > 0 or channel.lag_ms > 0
    return has_posts and channel.is_accessible and not channel.is_history_done


def _state(channel: ChannelState) -> str:
    if not channel.is_accessible:
        return "no access"
    if channel.mark_at == 0 < channel.lag_ms:
        return "not read yet"
    return f"lags {lasted(channel.lag_ms / 1000)}" if channel.lag_ms else "up to date"


def _gaps(gaps: Sequence[Gap], is_whole: bool) -> Iterator[str]:
    yield fact("open gaps", f"{len(gaps) or 'none'}")
    for gap in gaps if is_whole else gaps[:MOST_SHOWN]:
        for_s = (datetime.now(timezone.utc) - gap.opened_at).total_seconds()
        name = f"{gap.name} ({gap.channel_id})" if gap.name else gap.channel_id
        yield (
            f"  {gap.kind:<{WIDTH}}{name}, since {moment(gap.opened_at)}"
            f" ({lasted(for_s)}): {gap.reason}"
        )
    yield from _more(len(gaps), is_whole)


def _lost(gaps: Sequence[Gap], is_whole: bool) -> Iterator[str]:
    """What nobody can fetch any more, the latest first."""
    if not gaps:
        return
    yield fact("lost", f"{counted(len(gaps), 'time')} within a day")
    for gap in gaps[::-1] if is_whole else gaps[: -MOST_SHOWN - 1 : -1]:
        until = gap.closed_at or gap.opened_at
        yield (
            f"  {gap.source:<{WIDTH}}{moment(gap.opened_at)} to"
            f" {moment(until)}: {gap.reason}"
        )
    yield from _more(len(gaps), is_whole)


def _more(number: int, is_whole: bool) -> Iterator[str]:
    if number > MOST_SHOWN and not is_whole:
        yield f"  {number - MOST_SHOWN} more with --all"


def fact(name: str, told: str) -> str:
    return f"{name:<{WIDTH}}{told}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def lasted(seconds: float) -> str:
    """A length of time in the unit that fits."""
    for unit, length_s in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def clean(line: str) -> str:
    """Without what would steer the terminal: names of channels are anybody's."""
    return "".join(sign if sign.isprintable() else UNPRINTABLE for sign in line)


# For a program.


def as_dict(survey: Survey, found: Sequence[Finding], config: Config) -> dict[str, Any]:
    """What `--json` prints; its keys are always there."""
    return {
        "is_well": not found,
        "summary": summary(survey, found, config),
        "findings": [finding._asdict() for finding in found],
        "daemon": _daemon_as_dict(survey),
        "database": _database_as_dict(survey),
    }


def _daemon_as_dict(survey: Survey) -> dict[str, Any]:
    daemon = survey.daemon
    return {
        "address": survey.address,
        "error": survey.silence or None,
        "version": daemon and daemon.version,
        "parts": daemon and [part._asdict() for part in daemon.parts],
        "readings": daemon and daemon.readings,
    }


def _database_as_dict(survey: Survey) -> dict[str, Any]:
    database = survey.database
    new = "malexbot never ran on it" if survey.is_new else None
    names = (
        *("holder", "jobs", "rejects", "unindexed", "files", "channels", "gaps"),
        "lost",
    )
    known = _plain(asdict(database)) if database else dict.fromkeys(names)
    return {"error": survey.outage or new, **known}


def _plain(value: Any) -> Any:
    """As JSON has it: times are ISO 8601."""
    match value:
        case datetime():
            return value.astimezone(timezone.utc).isoformat()
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    return value
