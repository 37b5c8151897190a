"""The processors that come with malexbot, and how the configuration makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from malexbot.config.model import Config
from malexbot.errors import Misconfigured
from malexbot.ports import Processor

Make = Callable[[Config], Processor]


def builtin() -> dict[str, Make]:
    """Ours, by the name that the configuration calls them."""
    return {"log": _log, "save": _save, "response": _response, "route": _route}


def build(
    config: Config, makes: Mapping[str, Make], own: Sequence[Processor] = ()
) -> dict[str, Sequence[Processor]]:
    """The processors of each event name; one of a name serves all its events.

    Those of plugins are made already; one that is switched off is left out. Functions
    of plugins, and what is malexbot's `own`, come where they say themselves. Raises
    Misconfigured, which names every processor that nobody knows.
    """
    wanted = config.target_events_processors
    made, off = dict(config.plugged.processors), config.plugged.switched_off
    names = dict.fromkeys(name for listed in wanted.values() for name in listed)
    left = [name for name in names if name not in made and name not in off]
    if unknown := [name for name in left if name not in makes]:
        known = (*makes, *made)
        raise Misconfigured("\n".join(_unknown(name, known) for name in unknown))
    made |= {name: makes[name](config) for name in left}
    built = {
        event: [made[name] for name in listed if name in made]
        for event, listed in wanted.items()
    }
    for handler in (*own, *config.plugged.handlers):
        for event in handler.events:
            built.setdefault(event, []).append(handler)
    return dict(built)


def _unknown(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
    return f"target_events_processors: no processor {name!r}; {hint}"


def _log(config: Config) -> Processor:
    from malexbot.processors.log import Log

    return Log()


def _save(config: Config) -> Processor:
    from malexbot.processors.save import Save
    from malexbot.rules import Condition

    contains = config.mattermost.filter_messages_contains if config.mattermost else ()
    when = config.archive.when
    return Save(contains=contains, when=Condition(when) if when else None)


def _response(config: Config) -> Processor:
    from malexbot.processors.response import Response

    return Response(config.responses)


def _route(config: Config) -> Processor:
    from malexbot.processors.route import Route

    return Route(config.routes, config.routing, patience_s=config.give_up_after_s)
