"""Which processors of other people there are to be, and what became of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from malexbot.config.document import Document
from malexbot.config.events import MATTERMOST_EVENTS, VK_EVENTS, unknown_events
from malexbot.config.fields import Block, Names
from malexbot.config.permissions import Permissions, Roles
from malexbot.config.problems import Problem, Where
from malexbot.config.processors import EventProcessors
from malexbot.ports import Processor

# Those that come with malexbot; `malexbot.processors` makes them.
BUILTIN = ("log", "save", "response", "route")
# The plugin that comes with malexbot; nobody else's is called so.
OWN = "malex"
# What is no event of the server, but comes by a call or by the clock.
OF_CALLS = ("command", "button", "dialog", "hook")
OF_PLUGINS = (*OF_CALLS, "tick")
# The blocks that say what is done on which event.
MESSENGERS = ("mattermost", "vk")
OWN_FUNCTIONS = tuple(f"{OWN}.{name}" for name in "help find stats status ping".split())

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def is_file(plugin: str) -> bool:
    """Yes: it is the path of a file; no: the name of a module."""
    return "/" in plugin or plugin.endswith(".py")


def _located(plugins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Files by their whole path; one that is relative lies beside the configuration."""
    folder = (info.context or {}).get("folder", "")
    for plugin in plugins:
        if not is_file(plugin) and not _MODULE.fullmatch(plugin):
            raise ValueError("needs files such as mine.py, or names of modules")
    return tuple(
        os.path.abspath(folder / Path(plugin)) if folder and is_file(plugin) else plugin
        for plugin in plugins
    )


def _blocks(value: Any) -> dict[str, Any]:
    """Each processor's settings, as they are until its plugin reads them."""
    if not isinstance(value, Mapping):
        raise ValueError("needs a map: each processor's name, its settings below it")
    return {str(name): block for name, block in value.items() if block is not None}


Plugins = Annotated[Names, AfterValidator(_located)]
ProcessorBlocks = Annotated[
    Mapping[str, Any],
    BeforeValidator(_blocks),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": ["object", "null"]}}
    ),
]


class Failure(NamedTuple):
    """A plugin that is switched off, and why."""

    plugin: str
    """A file, a module, or the name of a processor."""
    reason: str

    @property
    def short_name(self) -> str:
        return os.path.basename(self.plugin) or self.plugin

    def __str__(self) -> str:
        return f"{self.short_name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plugged:
    """What the plugins of a configuration came to."""

    processors: Mapping[str, Processor] = field(default_factory=dict)
    """Those that are switched on, by name."""
    offered: Sequence[str] = ()
    """The names of all the classes that the plugins have."""
    failures: Sequence[Failure] = ()
    switched_off: frozenset[str] = frozenset()
    """The names that stand for nothing, as some plugin failed."""
    plugins: Sequence[str] = ()
    """The names of the plugins that have functions."""
    handlers: Sequence[Processor] = ()
    """Their functions, which are switched on with them."""


class _Events(Block):
    model_config = ConfigDict(extra="ignore")

    target_events_processors: EventProcessors = {}


class Wanted(Block):
    """The part of the configuration that plugins are about, whatever else is wrong."""

    model_config = ConfigDict(extra="ignore")

    plugins: Plugins = ()
    processors: ProcessorBlocks = {}
    roles: Roles = {}
    permissions: Permissions = {}
    webhooks: Mapping[str, Any] = {}
    mattermost: _Events | None = None
    vk: _Events | None = None

    @property
    def used(self) -> tuple[str, ...]:
        """The names that events have, but ours."""
        names = dict.fromkeys(
            name
            for block in (self.mattermost, self.vk)
            if block is not None
            for listed in block.target_events_processors.values()
            for name in listed
        )
        return tuple(name for name in names if name not in BUILTIN)

    @property
    def configured(self) -> tuple[str, ...]:
        """The names that have settings, but ours."""
        return tuple(name for name in self.processors if name not in BUILTIN)


# The settings of the processor of that name, read; None if something is wrong there.
Read = Callable[[str, type[BaseModel]], BaseModel | None]
# Loads the plugins and builds the processors that are switched on; raises nothing.
Plug = Callable[[Wanted, Read], Plugged]


class Outlet:
    """Plugs the plugins of one document in; what is wrong goes to the document."""

    def __init__(self, value: dict[str, Any], document: Document) -> None:
        self._value = value
        self._document = document
        try:
            folder = {"folder": document.file.parent}
            self._wanted = Wanted.model_validate(value, context=folder)
        except ValidationError:
            # Told in full when the whole configuration is read.
            self._wanted = Wanted()

    def plug(self, plug: Plug, read: Callable[..., BaseModel | None]) -> Plugged:
        """`read` is how a block at a place becomes a model."""
        self._tell_builtin()
        self._judge_roles()
        wanted, blocks = self._wanted, dict(self._wanted.processors)
        if not (wanted.plugins or wanted.used or wanted.configured):
            self._judge_permissions(())
            return Plugged()

        def settings(name: str, model: type[BaseModel]) -> BaseModel | None:
            made = read(model, blocks.get(name, {}), where=("processors", name))
            if made is not None:
                blocks[name] = made
            return made

        plugged = plug(wanted, settings)
        self._value["processors"] = blocks
        return self._judged(plugged)

    def failures(self, plugged: Plugged) -> tuple[Problem, ...]:
        """Where in the file the plugins are that failed."""
        return tuple(
            self._document.problem(self._place(failure.plugin), str(failure))
            for failure in plugged.failures
        )

    def oddities(self, plugged: Plugged) -> Iterator[Problem]:
        for name in plugged.offered:
            if name not in self._wanted.used:
                text = f"nothing is done with the processor {name!r}"
                hint = "name it at an event in mattermost.target_events_processors"
                yield self._document.problem(("plugins",), text, hint)
        events = (event for each in plugged.handlers for event in each.events)
        known = MATTERMOST_EVENTS | VK_EVENTS
        for name, meant in unknown_events(dict.fromkeys(events), known):
            if name not in OF_PLUGINS:
                text = f"a plugin listens to {name!r}, an event that is not known"
                yield self._document.problem(("plugins",), text, meant)

    def _judged(self, plugged: Plugged) -> Plugged:
        """Tell the names that nobody knows; after a failure they may be its."""
        functions = [handler.name for handler in plugged.handlers]
        for name in self._wanted.used:
            if name in functions:
                hint = "its plugin alone switches it on: take it off here"
                self._document.add(self._place(name), f"{name!r} needs no event", hint)
        if plugged.failures:
            off = frozenset(self._wanted.used) - plugged.processors.keys()
            return replace(plugged, switched_off=off)
        known = (*plugged.offered, *functions)
        unknown = [name for name in self._wanted.used if name not in known]
        for name in unknown:
            self._document.add(self._place(name), *_unknown(name, plugged.offered))
        for name in self._wanted.configured:
            if name not in (*plugged.offered, *plugged.plugins, *unknown):
                place = ("processors", name)
                known = (*plugged.offered, *plugged.plugins)
                self._document.add(place, *_unknown(name, known))
        self._judge_permissions((*plugged.plugins, *functions))
        return plugged

    def _judge_permissions(self, known: Sequence[str]) -> None:
        known = (OWN, *OWN_FUNCTIONS, *known)
        for name in self._wanted.permissions:
            if name not in known:
                hint = f"known: {', '.join(known)}"
                if close := get_close_matches(name, known, n=1):
                    hint = f"did you mean {close[0]!r}?"
                text = f"no plugin or function {name!r} is known"
                self._document.add(("permissions", name), text, hint)

    def _judge_roles(self) -> None:
        for name, permission in self._wanted.permissions.items():
            for index, role in enumerate(permission.roles):
                if role not in self._wanted.roles:
                    place = ("permissions", name, "roles", index)
                    hint = f"write its people: `roles: {{{role}: [anna, boris]}}`"
                    self._document.add(place, f"there is no role {role!r}", hint)

    def _tell_builtin(self) -> None:
        for name in BUILTIN:
            if name in self._wanted.processors:
                hint = "a processor of malexbot's own has no settings here"
                self._document.add(("processors", name), hint)

    def _place(self, plugin: str) -> Where:
        if plugin in self._wanted.plugins:
            index = self._wanted.plugins.index(plugin)
            several = isinstance(self._value.get("plugins"), list)
            return ("plugins", index) if several else ("plugins",)
        for messenger in MESSENGERS:
            events = (messenger, "target_events_processors")
            block = self._value.get(messenger) or {}
            for where, name in _texts(block.get(events[1]), events):
                if name == plugin:
                    return where
        return ("processors", plugin)


def _unknown(name: str, offered: Sequence[str]) -> tuple[str, str]:
    known = (*BUILTIN, *offered)
    text = f"no processor {name!r} is known"
    if close := get_close_matches(name, known, n=1):
        return text, f"did you mean {close[0]!r}?"
    return text, f"known: {', '.join(known)}; those of your own come by `plugins`"


def _texts(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    """Each text in a value, and its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, (*where, key))
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _texts(part, (*where, index))
