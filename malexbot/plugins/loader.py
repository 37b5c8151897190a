"""Loads the plugins that the configuration names, and builds their processors.

Nothing of a plugin gets further than here: whatever it raises becomes the reason why
it is switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

from malexbot.config.fields import Block
from malexbot.config.plugins import (
    BUILTIN,
    OWN,
    Failure,
    Plugged,
    Read,
    Wanted,
    is_file,
)
from malexbot.errors import ANYTHING
from malexbot.plugins.decorated import Plugin, Terms, handlers, read_plugin
from malexbot.plugins.handler import Handler
from malexbot.plugins.modules import opened
from malexbot.plugins.refusal import Refused, told
from malexbot.plugins.shape import Class, require_fit, settings_of
from malexbot.ports import Processor

GROUP = "malexbot.processors"


def plug(wanted: Wanted, read: Read) -> Plugged:
    """Load the plugins and build what is switched on: functions by themselves."""
    shelf = _Shelf()
    for plugin in wanted.plugins:
        shelf.take_in(plugin)
    named = {*wanted.used, *wanted.configured}
    if missing := named - shelf.classes.keys() - shelf.plugins.keys():
        shelf.take_installed(missing)
    processors = {}
    for name in shelf.classes:
        params = shelf.settings(name, read) if name in named else None
        if name in wanted.used and params is not None:
            if processor := shelf.build(name, params):
                processors[name] = processor
    webhooks = tuple(name.strip("/") for name in wanted.webhooks)
    terms = Terms(wanted.roles, wanted.permissions, webhooks)
    return Plugged(
        processors=processors,
        offered=tuple(shelf.classes),
        plugins=tuple(shelf.plugins),
        handlers=tuple(shelf.switch_on(terms, read)),
        failures=tuple(shelf.failures),
    )


class _Shelf:
    """What was found, by its name, and what failed meanwhile."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.plugins: dict[str, Plugin] = {}
        self.failures: list[Failure] = []
        self._sources: dict[str, str] = {}

    def take_in(self, source: str) -> None:
        """All that a file or a module has, or nothing of it."""
        try:
            module = opened(source)
            found = [require_fit(each) for each in _processors(module)]
            plugin = read_plugin(module)
            if not found and not plugin:
                raise Refused("it has no class that inherits Processor, no @command, …")
            names = [each.name for each in found]
            self._require_free([*names, plugin.name] if plugin else names)
            if plugin:
                self._require_commands(plugin)
        except ANYTHING as error:
            self._fail(source, error, source)
        else:
            self._keep(found, source)
            if plugin:
                self.plugins[plugin.name] = plugin
                self._sources[plugin.name] = source

    def take_installed(self, names: Collection[str]) -> None:
        """Of the packages that are installed only those that are named."""
        offers: dict[str, list[EntryPoint]] = {}
        for offer in entry_points(group=GROUP):
            if offer.name in names:
                offers.setdefault(offer.name, []).append(offer)
        for name, these in offers.items():
            try:
                self._keep([_loaded(these)], name)
            except ANYTHING as error:
                self._fail(name, error)

    def settings(self, name: str, read: Read) -> tuple[BaseModel, ...] | None:
        """What the processor is built with; None if its settings are wrong."""
        model = settings_of(self.classes[name])
        params = read(name, model or Block)
        if params is None:
            return None
        return (params,) if model else ()

    def build(self, name: str, params: tuple[BaseModel, ...]) -> Processor | None:
        make: Callable[..., Processor] = self.classes[name]
        try:
            return make(*params)
        except ANYTHING as error:
            source = self._sources[name]
            file = f"{Path(source).name}, " if is_file(source) else ""
            self.failures.append(Failure(name, f"{file}{told(error, source)}"))
            return None

    def switch_on(self, terms: Terms, read: Read) -> Iterable[Handler]:
        """The functions of the plugins whose settings are right."""
        for name, plugin in self.plugins.items():
            settings = read(name, plugin.params or Block)
            if settings is None:
                continue
            source = self._sources[name]
            try:
                yield from handlers(plugin, terms, settings)
            except ANYTHING as error:
                self._fail(source, error, source)

    def _require_free(self, names: Sequence[str]) -> None:
        for place, name in enumerate(names):
            if name in (*BUILTIN, OWN):
                raise Refused(f"{name!r} is malexbot's own: take another name")
            if name in names[:place]:
                raise Refused(f"two of it have the name {name!r}")
            if name in self.classes:
                raise Refused(f"{self._sources[name]} has a processor {name!r} too")
            # What plugin.function is called belongs to the functions of that plugin.
            plugin = name.partition(".")[0]
            if plugin in self.plugins:
                raise Refused(f"{self._sources[plugin]} is called {plugin!r} too")

    def _require_commands(self, plugin: Plugin) -> None:
        """That no command of it is taken."""
        others = {
            command: self._sources[other.name]
            for other in self.plugins.values()
            for command in other.commands
        }
        for command in plugin.commands:
            if command == f"/{OWN}":
                raise Refused(f"{command} is malexbot's own: take another name")
            if command in others:
                raise Refused(f"{others[command]} has the command {command} too")

    def _keep(self, found: Iterable[Class], source: str) -> None:
        for each in found:
            self.classes[each.name] = each
            self._sources[each.name] = source

    def _fail(self, plugin: str, error: BaseException, file: str = "") -> None:
        self.failures.append(Failure(plugin, told(error, file)))


def _processors(module: ModuleType) -> list[object]:
    """Its public classes that are processors; not those that it got from others."""
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Processor)
        if name == value.__name__ and not name.startswith("_")
        if f"{value.__module__}.".startswith(f"{module.__name__}.")
    ]


def _loaded(offers: list[EntryPoint]) -> Class:
    """The class of the one package that offers it."""
    if len(offers) > 1:
        packages = sorted(each.dist.name for each in offers if each.dist)
        raise Refused(f"several packages have it: {', '.join(packages)}")
    found = require_fit(offers[0].load())
    if found.name != offers[0].name:
        raise Refused(f"its entry point leads to {found.name!r}")
    return found
