"""Jobs as a person reads them, and as a program does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson

from malexbot.cli.moments import moment

if TYPE_CHECKING:
    from malexbot.events import Event
    from malexbot.storage.backlog import JobView

COLOURS = {"ready": "yellow", "leased": "cyan", "dead": "red", "done": "green"}
MEANINGS = {
    "ready": "waits for its turn",
    "leased": "is being done",
    "done": "was done",
    "dead": "could not be done",
    "expired": "was too old to be done",
    "dropped": "was dropped by hand",
}
WAYS_OUT = {
    "dead": "when the reason is gone: malexbot jobs retry {id}",
    "expired": "to do it nevertheless: malexbot jobs retry {id}",
    "dropped": "to do it nevertheless: malexbot jobs retry {id}",
    "ready": "to give it up: malexbot jobs drop {id}",
    "leased": "to give it up: malexbot jobs drop {id}",
}
HEADS = ("ID", "STATE", "CREATED", "TRIES", "WHAT", "REASON")
GAP = "  "
LONGEST_PAYLOAD = 4_000
# What somebody wrote in a chat must not steer the terminal of who reads it here.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}")
_CONTROLS[ord("\n")] = "\n" + " " * 12


def table(jobs: Sequence[JobView], width: int | None) -> Iterator[str]:
    """A line a job, below a line of heads; cut to the width, if there is one."""
    rows = [HEADS, *map(_row, jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = 0
    for row in rows:
        line = GAP.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        if width is not None and len(line) > width:
            line = line[: width - 1] + "…"
        yield _coloured(line.rstrip(), row[1], len(GAP) + widths[0])


def summary(
    jobs: Sequence[JobView], counts: Mapping[str, int], states: Sequence[str]
) -> str:
    """How many there are of all, and what can be done about them."""
    there = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    if not jobs:
        if not there:
            return "no jobs"
        return f"none is {' or '.join(states)}; all jobs: {there}"
    lines = [f"\nall jobs: {there}"]
    hidden = sum(counts[state] for state in states) - len(jobs)
    if hidden > 0:
        lines.append(f"{hidden} older ones are not shown: --limit N")
    lines.append("all of one, and what to do about it: malexbot jobs show ID")
    return "\n".join(lines)


def described(job: JobView) -> Iterator[str]:
    """All of one job, in a person's words."""
    yield f"job {job.id} {MEANINGS[job.state]} ({job.state})"
    for name, value in _facts(job):
        if value:
            yield f"  {name:<9} {_harmless(value)}"
    if way_out := WAYS_OUT.get(job.state):
        yield way_out.format(id=job.id)


def as_json(job: JobView) -> dict[str, Any]:
    """With the event and the payload as what they are."""
    event = _event(job)
    return {
        "id": job.id,
        "kind": job.kind,
        "name": job.name,
        "lane": job.lane,
        "state": job.state,
        "attempts": job.attempts,
        "reason": job.reason,
        "event_id": job.event_id,
        "parent": job.parent,
        "created_at": job.created_at.isoformat(),
        "due_at": job.due_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "payload": orjson.loads(job.payload) if job.payload else None,
        "event": _plain(event) if event else None,
    }


def _row(job: JobView) -> tuple[str, ...]:
    return (
        str(job.id),
        job.state,
        moment(job.created_at),
        str(job.attempts),
        _what(job),
        _harmless(" ".join(_reason(job).split())),
    )


def _what(job: JobView) -> str:
    """A target tells itself of what kind it is."""
    is_told = job.name.startswith(f"{job.kind}:")
    return job.name if is_told else f"{job.kind} {job.name}"


def _reason(job: JobView) -> str:
    if job.state == "ready" and job.attempts:
        return f"again at {moment(job.due_at)}: {job.reason}"
    return job.reason


def _coloured(line: str, state: str, at: int) -> str:
    """The state alone; click leaves the colours out where nobody sees them."""
    colour, end = COLOURS.get(state), at + len(state)
    if colour is None or line[at:end] != state:
        return line
    return line[:at] + click.style(state, fg=colour) + line[end:]


def _facts(job: JobView) -> Iterator[tuple[str, str]]:
    rule, event = _handed_on(job)
    event = event or _event(job)
    yield "what", _what(job)
    yield "rule", rule
    yield "reason", _reason(job)
    yield "tries", str(job.attempts)
    yield "created", moment(job.created_at)
    yield "ended", moment(job.finished_at) if job.finished_at else ""
    yield "lane", job.lane
    yield "made by", f"job {job.parent}" if job.parent else ""
    if event is not None:
        said_by = event.user.nick or event.user.uuid
        yield "event", f"{event.name} {event.event_id} by {said_by}"
        yield "text", _said(event)
    yield "payload", _clipped(job.payload or "")


def _said(event: Event) -> str:
    """What somebody said or asked for."""
    if event.message:
        return event.message.text
    if event.command:
        return f"{event.command.name} {event.command.text}".rstrip()
    if event.button:
        return f"pressed {event.button.beid}"
    return f"filled in {event.form.name}" if event.form else ""


def _clipped(payload: str) -> str:
    """A file may be in it, which nobody reads here."""
    left = len(payload) - LONGEST_PAYLOAD
    if left <= 0:
        return payload
    return f"{payload[:LONGEST_PAYLOAD]}… and {left} signs more: --json shows all"


def _harmless(text: str) -> str:
    return text.translate(_CONTROLS)


def _event(job: JobView) -> Event | None:
    from malexbot.storage.wire import from_json

    return from_json(job.event) if job.event else None


def _handed_on(job: JobView) -> tuple[str, Event | None]:
    """By which rule, and what."""
    from malexbot.bus import NoEvent, read

    if not job.name.startswith(f"{job.kind}:"):
        return "", None
    try:
        payload = orjson.loads(job.payload or "")
        return payload["rule"], read(payload["event"])
    except (ValueError, KeyError, TypeError, NoEvent):
        return "", None


def _plain(value: Any) -> Any:
    """The event with the names of its fields; what came in is not kept in a job."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {k: _plain(v) for k, v in value._asdict().items() if k != "raw"}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
