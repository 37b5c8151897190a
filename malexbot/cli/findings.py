"""What is wrong with malexbot, and what an operator does about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from malexbot import __version__
from malexbot.cli.culprit import culprit, culprit_of
from malexbot.cli.survey import NOBODY, DaemonView, DatabaseView, Part, Survey
from malexbot.config.model import Config
from malexbot.storage.archive import Gap

# So many channels are named in a line.
MOST_NAMED = 3

LOG = "journalctl -u malexbot -n 50"
WHERE_IT_HANGS = "systemctl kill -s USR1 --kill-who=main malexbot"
# These say the same of a database that is away, which is told once.
ON_THE_DATABASE = {"daemon", "intake", "lanes"}
# The parts that are targets of routes.
TARGETS = {"redis", "http"}
# A gap of this kind heals only when somebody lets the bot in.
NO_ACCESS = "access"
# So the workstream log tells of who does not take it.
DROPS = "drops records, "


class Finding(NamedTuple):
    """Something that is wrong, and what puts it right."""

    what: str
    cure: str


def find(survey: Survey, config: Config, config_file: Path) -> list[Finding]:
    """All that is wrong, what causes the rest first."""
    return list(_find(survey, config, config_file))


def is_elsewhere(survey: Survey) -> bool:
    """Yes: another machine has the active daemon, so ours has nothing to tell."""
    if survey.daemon is not None or survey.database is None:
        return False
    holder = survey.database.holder
    return holder is not None and holder.host != socket.gethostname()


def _find(survey: Survey, config: Config, config_file: Path) -> Iterator[Finding]:
    if survey.is_new and survey.daemon is None:
        yield Finding(
            "it has not run yet: there is no archive", "systemctl enable --now malexbot"
        )
        return
    if survey.outage:
        cure = "do that; systemctl restart malexbot"
        if not survey.is_refused:
            cure = _look_at(config)
        yield Finding(f"the database tells nothing: {survey.outage}", cure)
    if survey.daemon is not None:
        yield from _of_daemon(survey.daemon, config, config_file, survey.database)
        yield from _strangers(survey, config_file)
    elif not is_elsewhere(survey):
        yield _silence(survey)
    if survey.database is not None:
        yield from _of_database(survey.database, config)


# The daemon.


def _silence(survey: Survey) -> Finding:
    holder = survey.database.holder if survey.database else None
    told = f"{survey.address}: {survey.silence}"
    if holder is not None:
        return Finding(
            f"the daemon (pid {holder.pid}) is active, but does not answer on {told}",
            (
                f"has it another configuration? else {LOG}"
                if survey.silence == NOBODY
                else f"{WHERE_IT_HANGS}; {LOG}; systemctl restart malexbot"
            ),
        )
    if survey.outage:
        return Finding(
            f"the daemon does not answer on {told}",
            f"systemctl status malexbot tells whether it waits for the database; {LOG}",
        )
    return Finding(
        f"the daemon does not run (asked at {told})",
        f"systemctl start malexbot; if it does not stay: {LOG}",
    )


def _of_daemon(
    daemon: DaemonView, config: Config, config_file: Path, database: DatabaseView | None
) -> Iterator[Finding]:
    ill = {part.name: part for part in daemon.parts if not part.is_ready}
    for name, part in ill.items():
        if name in ON_THE_DATABASE and database is None:
            continue
        if name == "mattermost":
            yield _of_mattermost(part, config, config_file)
        elif name == "vk":
            yield _of_vk(part, config_file)
        elif name == "files":
            yield Finding(
                f"files are not kept: {part.state}",
                f"make room: df -h {config.state_dir}; nothing is lost, they are"
                " fetched then",
            )
        elif name != "backfill" or "mattermost" not in ill:
            yield Finding(f"{name}: {part.state}", LOG)
    if any(part.name == "reload" for part in daemon.parts):
        yield Finding(
            "the last reload was refused, the old settings count",
            "malexbot check; systemctl reload malexbot",
        )
    away = [part for part in daemon.parts if _is_away(part)]
    for part in away:
        yield _of_target(part, config_file)
    for part in daemon.parts:
        if part.name == "streams" and "redis" not in {each.name for each in away}:
            yield Finding(
                f"streams are {part.state}",
                "they are once Redis is there; look at"
                f" {culprit('redis', part.state)} of {config_file}",
            )
        if part.name == "workstream" and part.state.startswith(DROPS):
            dropped = daemon.number("workstream_dropped_total")
            setting = culprit_of(config.workstream.receiver, part.state)
            yield Finding(
                f"the workstream log does not reach {part.state.removeprefix(DROPS)}"
                f" ({dropped:.0f} dropped)",
                f"all else goes on; look at {setting} of {config_file}",
            )
    if daemon.version != __version__:
        yield Finding(
            f"version {daemon.version} runs, {__version__} is installed",
            "systemctl restart malexbot",
        )


def _is_away(part: Part) -> bool:
    """Yes: it is a target of routes that takes nothing now."""
    return part.name.partition(":")[0] in TARGETS and part.state.startswith("away")


def _of_target(part: Part, config_file: Path) -> Finding:
    return Finding(
        f"{part.name} is {part.state}",
        "what is for it waits, and goes there once it is back; look at"
        f" {culprit(part.name, part.state)} of {config_file}",
    )


def _strangers(survey: Survey, config_file: Path) -> Iterator[Finding]:
    """The daemon says that it is active, and the database knows nothing of it."""
    is_active = survey.daemon is not None and all(
        part.is_ready for part in survey.daemon.parts if part.name == "daemon"
    )
    has_holder = survey.database is not None and survey.database.holder is not None
    if is_active and not has_holder and not survey.outage:
        yield Finding(
            f"the daemon on {survey.address} works on another database",
            f"was db: changed in {config_file}? systemctl restart malexbot",
        )


def _of_mattermost(part: Part, config: Config, config_file: Path) -> Finding:
    if part.state.startswith("unauthorised"):
        return Finding(
            f"Mattermost does not let us in: {part.state}",
            f"write a valid token to mattermost.token of {config_file}, or enable the"
            " bot; then systemctl restart malexbot",
        )
    if part.state == "connects":
        return Finding("not connected yet", f"if that lasts: {LOG}")
    url = config.mattermost.api_url if config.mattermost else ""
    return Finding(
        f"not connected: {part.state.removeprefix('down: ')}",
        f"it is tried again by itself; does the server answer? curl {url}/system/ping",
    )


def _of_vk(part: Part, config_file: Path) -> Finding:
    if part.state.startswith("unauthorised"):
        return Finding(
            f"VK does not let us in: {part.state.partition(': ')[2]}",
            f"write a valid token to vk.token of {config_file} (Manage > API usage >"
            " Access tokens); then systemctl restart malexbot",
        )
    if part.state == "connects":
        return Finding("VK: not connected yet", f"if that lasts: {LOG}")
    return Finding(
        f"VK: not connected: {part.state.removeprefix('down: ').removeprefix('VK, ')}",
        "it is tried again by itself, and VK keeps what happens for a while; malexbot"
        " doctor tells more",
    )


# The database.


def _look_at(config: Config) -> str:
    if config.db is None:
        return f"run it as root or as malexbot; is {config.state_dir} full? {LOG}"
    return f"pg_isready -h {config.db.host} -p {config.db.port} -d {config.db.name}"


def _of_database(database: DatabaseView, config: Config) -> Iterator[Finding]:
    for kind in dict.fromkeys(gap.kind for gap in database.gaps):
        gaps = [gap for gap in database.gaps if gap.kind == kind]
        if kind != NO_ACCESS:
            yield Finding(
                f"{kind} are missing in {named(gaps)}",
                "they are fetched by themselves, at once with malexbot backfill",
            )
        elif wanted := [gap for gap in gaps if _is_asked_for(gap, config)]:
            yield Finding(
                f"no access to {named(wanted)}",
                "/invite the bot there, or take it off listen_channels",
            )
    if dead := database.jobs.get("dead", 0):
        jobs = "1 job is dead" if dead == 1 else f"{dead} jobs are dead"
        yield Finding(f"{jobs}: nobody tries again", "malexbot jobs list --state dead")


def _is_asked_for(gap: Gap, config: Config) -> bool:
    """No: it was one of "*", and who took the bot away will have meant it."""
    names = config.mattermost.listen_channels if config.mattermost else ()
    return gap.channel_id in names or any("/" in name for name in names)


def named(gaps: Sequence[Gap]) -> str:
    names = [gap.name or gap.channel_id for gap in gaps]
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED])
    return f"{told} and {more} more" if more > 0 else told
