"""The slash commands of all plugins, as a server is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from malexbot.config.model import Config
from malexbot.plugins.handler import Handler
from malexbot.plugins.malex import built_in
from malexbot.plugins.texts import spoken
from malexbot.plugins.triggers import Commanded
from malexbot.ports import Processor

# What Mattermost shows behind a command that is typed.
LONGEST_USAGE = 120


class Offer(NamedTuple):
    """A slash command, as a server is told of it."""

    name: str
    """With its slash: /deploy."""
    usage: str
    """What is written behind it: `stage [count]`, or its parts: `[find|stats]`."""
    help: str


def offers(handlers: Sequence[Processor]) -> Sequence[Offer]:
    """The commands of these handlers, those with parts as one."""
    found: dict[str, list[tuple[Commanded, str]]] = {}
    for handler in handlers:
        if isinstance(handler, Handler):
            for trigger, usage in handler.usages:
                if isinstance(trigger, Commanded):
                    found.setdefault(trigger.words[0], []).append((trigger, usage))
    return [_offer(name, parts) for name, parts in found.items()]


def commands(config: Config) -> Sequence[Offer]:
    """All that a server has to know, malexbot's own command among them."""
    return offers([*built_in(), *config.plugged.handlers])


def _offer(name: str, parts: Sequence[tuple[Commanded, str]]) -> Offer:
    whole = [(t, usage) for t, usage in parts if len(t.words) == 1]
    inner = list(dict.fromkeys(t.words[1] for t, _ in parts if len(t.words) > 1))
    _, usage = whole[0] if whole else parts[0]
    shown = usage.removeprefix(name).strip() if not inner else f"[{'|'.join(inner)}]"
    helps = [spoken(t.help, "en") for t, _ in (*whole, *parts) if t.help]
    return Offer(name, shown[:LONGEST_USAGE], next(iter(helps), ""))
