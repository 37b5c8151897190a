"""A plugin of decorated functions: what it has, and its handlers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import BaseModel

from malexbot.config.permissions import Permission
from malexbot.plugins.api import Mark, marks
from malexbot.plugins.handler import Handler
from malexbot.plugins.permits import Permit, Roles, permit
from malexbot.plugins.refusal import Refused
from malexbot.plugins.triggers import (
    OUTGOING,
    Called,
    Commanded,
    Filled,
    Pressed,
    Trigger,
)

# Of each of these there can be one only.
SINGLE = (Commanded, Pressed, Filled)

_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Terms(NamedTuple):
    """What the operator says of who may use what, and of who may call."""

    roles: Roles = {}
    permissions: Mapping[str, Permission] = {}
    """By plugin, or by its function: rota, rota.take."""
    webhooks: Sequence[str] = ()
    """Those that have a secret."""


class Plugin(NamedTuple):
    """What a module has; nothing of it is switched on yet."""

    name: str
    functions: Mapping[Callable[..., None], Sequence[Mark]]
    params: type[BaseModel] | None
    """The model of its settings, if it has some."""

    @property
    def commands(self) -> Sequence[str]:
        """With their slashes, each once."""
        return tuple(
            dict.fromkeys(
                trigger.words[0]
                for trigger in _triggers(self.functions)
                if isinstance(trigger, Commanded)
            )
        )


def read_plugin(module: ModuleType) -> Plugin | None:
    """What it has; None: nothing is decorated. Raises Refused."""
    functions = dict(_decorated(module))
    if not functions:
        return None
    name = module.__name__.rpartition(".")[2]
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name for a plugin: letters, digits, - and _")
    _require_different(functions)
    return Plugin(name, _with_longer(functions), _params(module))


def handlers(plugin: Plugin, terms: Terms, settings: Any) -> Sequence[Handler]:
    """What is called on events; raises Refused."""
    for trigger in _triggers(plugin.functions):
        if isinstance(trigger, Called) and trigger.path != OUTGOING:
            _require_secret(trigger.path, terms.webhooks)
    return [
        Handler(
            function,
            plugin=plugin.name,
            marks=these,
            permits=_permits(f"{plugin.name}.{function.__name__}", these, terms),
            settings=settings,
        )
        for function, these in plugin.functions.items()
    ]


def _decorated(
    module: ModuleType,
) -> Iterator[tuple[Callable[..., None], Sequence[Mark]]]:
    """Its own functions, in their order; not those that it got from others."""
    for name, value in vars(module).items():
        these = marks(value)
        if these and value.__module__ == module.__name__ and value.__name__ == name:
            yield value, these


def _triggers(functions: Mapping[Any, Sequence[Mark]]) -> Iterator[Trigger]:
    for these in functions.values():
        yield from (mark.trigger for mark in these)


def _require_different(functions: Mapping[Any, Sequence[Mark]]) -> None:
    """Of the same command or button only one function can be called."""
    titles = (each for each in _triggers(functions) if isinstance(each, SINGLE))
    for title, count in Counter(each.title for each in titles).items():
        if count > 1:
            raise Refused(f"two functions have {title}")


def _with_longer(
    functions: Mapping[Callable[..., None], Sequence[Mark]],
) -> Mapping[Callable[..., None], Sequence[Mark]]:
    """Each command knows those that begin with its words and have more of them."""
    commands = [t for t in _triggers(functions) if isinstance(t, Commanded)]

    def grown(mark: Mark) -> Mark:
        own = mark.trigger
        if not isinstance(own, Commanded):
            return mark
        longer = frozenset(
            each.words
            for each in commands
            if each.words != own.words and each.words[: len(own.words)] == own.words
        )
        return mark._replace(trigger=replace(own, longer=longer))

    return {
        function: tuple(grown(mark) for mark in these)
        for function, these in functions.items()
    }


def _params(module: ModuleType) -> type[BaseModel] | None:
    found = getattr(module, "Params", None)
    if found is None or (isinstance(found, type) and issubclass(found, BaseModel)):
        return found
    raise Refused("Params has to be a class that inherits Settings")


def _permits(handler: str, these: Sequence[Mark], terms: Terms) -> Sequence[Permit]:
    """What the operator says goes before what the author does."""
    for name in (handler, handler.partition(".")[0]):
        if name in terms.permissions:
            return [permit(terms.permissions[name], terms.roles)] * len(these)
    return [permit(mark.permission, terms.roles) for mark in these]


def _require_secret(path: str, known: Sequence[str]) -> None:
    name = path.removeprefix("/")
    if name not in known:
        hint = f"write `webhooks: {{{name}: {{secret_file: …}}}}`"
        raise Refused(f"the webhook {path} has no secret; {hint}")
