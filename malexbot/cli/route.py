"""`malexbot route`: which rule takes an event, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from malexbot.cli.options import InOrder, config_option, json_option
from malexbot.errors import EXIT_FAILED

if TYPE_CHECKING:
    from malexbot.config.model import Config
    from malexbot.events import Event
    from malexbot.processors.route import Rule, Table

TAKES, NO, UNASKED, FAILS = "takes it", "no", "not asked", "fails"
COLOURS = {TAKES: "green", FAILS: "red"}
WIDTH = 9
MOST_SHOWN = 60

# What an event that is written by hand need not say.
_NAMES = {
    "message": "posted",
    "edit": "post_edited",
    "delete": "post_deleted",
    "reaction": "reaction_added",
}
_TEXTS = "id channel_id user_id root_id original_id type message".split()
_TIMES = "create_at update_at edit_at delete_at".split()
_BLANK: Mapping[str, Mapping[str, Any]] = {
    "peer": {"bpid": "", "cid": ""},
    "user": {"uuid": ""},
    "message": {"cmid": "", "text": ""},
    "reaction": {"cmid": "", "rid": None},
    "button": {"cmid": "", "beid": "", "payload": {}},
    "command": {"name": "", "text": ""},
    "form": {"name": "", "values": {}, "payload": {}},
    "post": dict.fromkeys(_TEXTS, "") | dict.fromkeys(_TIMES, 0),
}


class Finding(NamedTuple):
    """What one rule says to the event."""

    name: str
    outcome: str
    why: str = ""
    asked: Mapping[str, Any] = {}
    """What its condition asked of the event, and the answers."""
    targets: Sequence[str] = ()


@click.group(cls=InOrder)
def command() -> None:
    """Try the rules of `routes`.

    \b
    malexbot route test --event event.json
    """


@command.command("test")
@click.option(
    "--event",
    "event_file",
    type=click.File("rb"),
    metavar="FILE",
    required=True,
    help="The event as JSON; - is standard input.",
)
@config_option
@json_option("one object")
@click.pass_context
def test(
    context: click.Context, event_file: IO[bytes], config_file: Path, is_json: bool
) -> None:
    """Tell which rule takes an event, and why the others do not.

    The event is written as it stands on the bus, or by hand, where anything but what
    the rules ask may be left out. Nothing is sent. The exit code is 0 if the event has
    a target and 1 if it has none. --json prints one object: event_id, is_routed,
    targets, and rules, each with name, outcome, why, asked and targets.

    \b
    malexbot route test --event event.json
    echo '{"event_type": "command", "message": {"text": "/ban eve"}}' |
      malexbot route test --event -
    """
    import orjson

    from malexbot.cli.report import clean
    from malexbot.config.load import load

    config = load(config_file)
    text = event_file.read()
    event = _event(text)
    found = [*findings(_table(config), event)]
    if is_json:
        told = _as_dict(event, found)
        click.echo(orjson.dumps(told, default=str, option=orjson.OPT_INDENT_2))
    else:
        for line in _lines(found):
            click.echo(line)
    for remark in (*_strange(orjson.loads(text), event), *_remarks(config, found)):
        click.echo(clean(remark), err=True)
    if not _targets(found):
        context.exit(EXIT_FAILED)


def _event(text: bytes) -> Event:
    """Raises BadParameter for what is none."""
    import orjson

    from malexbot.bus import NoEvent, read
    from malexbot.processors.route import routed

    try:
        return routed(read(_filled(orjson.loads(text))))
    except orjson.JSONDecodeError as error:
        raise _refused(f"this is no JSON: {error}") from None
    except NoEvent as error:
        raise _refused(f"this is no event: {error}") from None


def _strange(told: Mapping[str, Any], part: Any, where: str = "") -> Iterator[str]:
    """The keys that no event has: a slip of the pen, or a newer malexbot's."""
    known = {"schema", *part._fields}
    for key, value in told.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield f"{where}{key}: no key of an event{hint}"
        elif isinstance(value, dict) and hasattr(getattr(part, key), "_fields"):
            yield from _strange(value, getattr(part, key), f"{where}{key}.")


def _refused(text: str) -> click.BadParameter:
    return click.BadParameter(text, param_hint="--event")


def _filled(told: Any) -> Any:
    """With what anybody who writes an event by hand leaves out."""
    from malexbot.bus import SCHEMA

    if not isinstance(told, dict):
        return told
    kind = told.get("event_type", "message")
    known = {
        "schema": SCHEMA,
        "event_id": "test",
        "source": "mattermost",
        "event_type": kind,
        "name": _NAMES.get(str(kind), kind),
        "occurred_at": 0,
        "origin": "live",
        "peer": {},
        "user": {},
    }
    known |= told
    for name, blank in _BLANK.items():
        if isinstance(known.get(name), dict):
            known[name] = {**blank, **known[name]}
    return known


def _table(config: Config) -> Table:
    from malexbot.processors.route import Table

    return Table(config.routes, config.routing)


def findings(table: Table, event: Event) -> Iterator[Finding]:
    """What each rule says, in their order, and the default at the end."""
    last, is_taken = "", False
    for rule in table.rules:
        if last:
            yield Finding(rule.name, UNASKED, f"{last} takes it and does not continue")
        elif not rule.takes(event):
            yield _refusal(rule, event)
        else:
            yield _taken(rule, event)
            is_taken, last = True, "" if rule.goes_on else rule.name
    if table.default and not is_taken:
        yield _taken(table.default, event)


def _taken(rule: Rule, event: Event) -> Finding:
    from malexbot.rules import RuleFailed

    try:
        return Finding(rule.name, TAKES, targets=rule.targets(event))
    except RuleFailed as error:
        return Finding(rule.name, FAILS, str(error))


def _refusal(rule: Rule, event: Event) -> Finding:
    """The first part of its condition that does not hold."""
    from malexbot.rules import Condition
    from malexbot.rules.parts import asked, parts

    if rule.has_failed:
        why = f"{rule.when} cannot be worked out, which counts as no"
        return Finding(rule.name, NO, why, asked(rule.when, event))
    for part in parts(rule.when):
        if not Condition(part)(event):
            return Finding(rule.name, NO, part, asked(part, event))
    return Finding(rule.name, NO, rule.when, asked(rule.when, event))


def _targets(found: Sequence[Finding]) -> list[str]:
    """Where it goes; nowhere if one of them fails, since then none is told."""
    if any(each.outcome == FAILS for each in found):
        return []
    return [*dict.fromkeys(target for each in found for target in each.targets)]


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    from malexbot.cli.report import clean

    width = max((len(each.name) for each in found), default=0)
    for each in found:
        word = click.style(each.outcome.ljust(WIDTH), fg=COLOURS.get(each.outcome))
        told = f"-> {', '.join(each.targets)}" if each.targets else each.why
        yield f"{clean(each.name):<{width}}  {word}  {clean(told)}"
        for path, value in each.asked.items():
            yield f"{'':<{width + WIDTH + 4}}{clean(f'{path} is {_shown(value)}')}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _remarks(config: Config, found: Sequence[Finding]) -> Iterator[str]:
    """What a person should know besides."""
    if not config.routes:
        yield "there are no rules: write them below `routes`"
    if not _is_named(config):
        yield (
            "no event has the processor `route`: name it in"
            " mattermost.target_events_processors"
        )
    if any(each.outcome == FAILS for each in found):
        yield "it goes nowhere: the job is dead, and can be retried by malexbot jobs"
    elif not _targets(found) and config.routing.strict:
        yield "nobody takes it: with routing.strict it is a dead job"
    elif not _targets(found):
        yield "nobody takes it; routing.default would"


def _is_named(config: Config) -> bool:
    events = config.target_events_processors
    return any("route" in processors for processors in events.values())


def _as_dict(event: Event, found: Sequence[Finding]) -> dict[str, Any]:
    from malexbot.events import plain

    targets = _targets(found)
    return {
        "event_id": event.event_id,
        "is_routed": bool(targets),
        "targets": targets,
        "rules": [plain(each) for each in found],
    }
