"""`malexbot bus`: what is handed over by Redis, and who has read how much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from malexbot.cli.moments import readable_ms
from malexbot.cli.options import InOrder, config_option, json_option
from malexbot.config.load import load
from malexbot.errors import Permanent

if TYPE_CHECKING:
    from malexbot.consumers.reader import Entry
    from malexbot.consumers.survey import GroupState, StreamState, Survey

LONGEST_WORDS = 100
HEADS = ("STREAM", "ENTRIES", "GROUP", "CONSUMERS", "UNREAD", "PENDING", "BEHIND")
# Where what happened is found in an event, the most telling first.
WORDS = (
    ("message", "text"),
    ("command", "text"),
    ("button", "beid"),
    ("form", "name"),
    ("reaction", "rid"),
)
# What each record of the workstream log tells, and the outcomes that nobody looks for.
DEED = {"who", "what", "outcome"}
WELL = ("done", "ready")


@click.group(cls=InOrder)
def command() -> None:
    """Show what is handed over by Redis, and how far its readers are.

    \b
    malexbot bus tail -f
    malexbot bus lag
    """


@command.command()
@config_option
@click.argument("streams", nargs=-1, metavar="[STREAM]...")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(0),
    default=10,
    metavar="N",
    show_default=True,
    help="How many of each stream, the newest.",
)
@click.option("-f", "--follow", is_flag=True, help="Show what comes, until Ctrl-C.")
@json_option("an object a line")
def tail(
    config_file: Path, streams: Sequence[str], number: int, follow: bool, is_json: bool
) -> None:
    """Show the newest entries of streams, of all if none is named.

    It takes nothing from those who read them. With --json each entry has stream,
    entry (its place in the stream), id, schema and event; one of the workstream log
    has its record instead.

    \b
    malexbot bus tail -f
    malexbot bus tail command button -n 100
    malexbot bus tail message -f --json | jq .event.message.text
    malexbot bus tail workstream --json | jq 'select(.record.ms > 1000)'
    """
    with opened(config_file) as bus:
        wanted = named(bus, streams)
        seen = bus.newest(wanted, max(number, 1))
        for entry in seen if number else ():
            show(entry, is_json)
        for entry in bus.follow(wanted, seen) if follow else ():
            show(entry, is_json)


@command.command()
@config_option
@click.argument("streams", nargs=-1, metavar="[STREAM]...")
@json_option("a list of objects")
def lag(config_file: Path, streams: Sequence[str], is_json: bool) -> None:
    """Show how far the groups are that read the streams.

    UNREAD was given to nobody yet, PENDING to somebody who has not acknowledged it;
    BEHIND is how old the oldest of both is.

    \b
    malexbot bus lag
    malexbot bus lag --json | jq '.[].groups[] | select(.behind_s > 60)'
    """
    with opened(config_file) as bus:
        states = [bus.state(stream) for stream in named(bus, streams)]
    if is_json:
        click.echo(
            orjson.dumps([as_dict(s) for s in states], option=orjson.OPT_INDENT_2)
        )
        return
    for line in table(states):
        click.echo(line)


@contextmanager
def opened(config_file: Path) -> Iterator[Survey]:
    """The bus of the configuration."""
    config = load(config_file)
    if config.redis is None:
        raise Permanent(f"{config_file} has no `redis:` block, so there is no bus")
    if config.redis.mode == "pubsub":
        raise Permanent(
            "`redis.mode` is pubsub: what was told is kept nowhere, and nobody knows"
            " who heard it"
        )
    from malexbot.consumers.survey import Survey

    with Survey(config.redis) as bus:
        yield bus


def named(bus: Survey, streams: Sequence[str]) -> Sequence[str]:
    """Those that are meant, with the prefix; raises if there are none."""
    there = bus.streams()
    if not there:
        raise Permanent("there is no stream in this Redis yet: nothing was handed over")
    if not streams:
        return there
    wanted = [name if name in there else bus.prefix + name for name in streams]
    for name in wanted:
        if name not in there:
            raise Permanent(f"there is no stream {name}; there are: {', '.join(there)}")
    return wanted


def show(entry: Entry, is_json: bool) -> None:
    click.echo(as_json(entry) if is_json else as_text(entry))


def as_json(entry: Entry) -> bytes:
    place = {"stream": entry.stream, "entry": entry.id}
    if record := _record(entry):
        return orjson.dumps({**place, "record": record})
    told = {"id": entry.event_id, "schema": entry.schema, "event": entry.event}
    return orjson.dumps({**place, **told})


def as_text(entry: Entry) -> str:
    """A line: when, on which stream, who where, and what; or who did what."""
    from malexbot.cli.report import clean

    when = readable_ms(int(entry.id.partition("-")[0]))
    place = click.style(clean(entry.stream), fg="cyan")
    if record := _record(entry):
        who = click.style(clean(str(record["who"])), bold=True)
        colour = None if record["outcome"] in WELL else "yellow"
        words = click.style(clean(_clipped(_deed(record))), fg=colour)
        return f"{when}  {place}  {who}  {words}"
    if not entry.event_id:
        plain = click.style("no event", fg="red")
        return f"{when}  {place}  {plain}: {clean(_clipped(str(entry.event)))}"
    who = _of(entry.event, "user", "nick", "name", "uuid") or "somebody"
    where = _of(entry.event, "peer", "name", "bpid")
    words = next(filter(None, (_of(entry.event, *path) for path in WORDS)), "")
    kind = entry.event.get("event_type", "event")
    told = f"{who} in {where}" if where else who
    bold = click.style(clean(told), bold=True)
    return f"{when}  {place}  {bold}  {clean(_clipped(f'{kind}: {words}'))}"


def _record(entry: Entry) -> Mapping[str, Any] | None:
    """What it tells if it is of the workstream log."""
    try:
        told = None if entry.event_id else orjson.loads(entry.event["record"])
    except (KeyError, ValueError):
        return None
    return told if isinstance(told, dict) and told.keys() >= DEED else None


def _deed(record: Mapping[str, Any]) -> str:
    """What was done and how that ended; --json has the ids."""
    words = f"{record['what']} {record['outcome']}"
    if record.get("ms") is not None:
        words += f" in {record['ms']} ms"
    for name in ("to", "job"):
        if record.get(name) is not None:
            words += f", {name} {record[name]}"
    return f"{words}: {note}" if (note := record.get("note")) else words


def _of(event: Mapping[str, Any], part: str, *names: str) -> str:
    """The first of these names that is told in that part."""
    inside = event.get(part)
    if not isinstance(inside, Mapping):
        return ""
    return next((str(inside[name]) for name in names if inside.get(name)), "")


def _clipped(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def table(states: Sequence[StreamState]) -> Iterator[str]:
    """A line a group; a stream that nobody reads has one too."""
    from malexbot.cli.report import clean

    rows = [HEADS, *(row for state in states for row in _rows(state))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (clean(cell).ljust(w) for cell, w in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _rows(state: StreamState) -> Iterator[tuple[str, ...]]:
    if not state.groups:
        yield (state.name, str(state.entries), "nobody reads it", "", "", "", "")
    for group in state.groups:
        yield (state.name, str(state.entries), *_cells(group))


def _cells(group: GroupState) -> tuple[str, ...]:
    from malexbot.cli.report import lasted

    return (
        group.name,
        str(group.consumers),
        "?" if group.unread is None else str(group.unread),
        str(group.pending),
        lasted(group.behind_s) if group.behind_s else "-",
    )


def as_dict(state: StreamState) -> dict[str, Any]:
    groups = [group._asdict() for group in state.groups]
    return {**state._asdict(), "groups": groups}
