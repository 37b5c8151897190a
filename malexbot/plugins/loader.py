"""Loads the plugins that the configuration names, and builds their processors.

Nothing of a plugin gets further than here: whatever it raises becomes the reason why
it is switched off.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

from malexbot.config.fields import Block
from malexbot.config.files import read_bytes
from malexbot.config.plugins import (
    BUILTIN,
    Failure,
    Plugged,
    Read,
    Wanted,
    is_file,
)
from malexbot.errors import ANYTHING
from malexbot.plugins.refusal import Refused, told
from malexbot.plugins.shape import Class, require_fit, settings_of
from malexbot.ports import Processor

GROUP = "malexbot.processors"
MAX_BYTES = 1024 * 1024


def plug(wanted: Wanted, read: Read) -> Plugged:
    """Load the plugins and build the processors that are switched on."""
    shelf = _Shelf()
    for plugin in wanted.plugins:
        shelf.take_in(plugin)
    named = {*wanted.used, *wanted.configured}
    if missing := named - shelf.classes.keys():
        shelf.take_installed(missing)
    processors = {}
    for name in shelf.classes:
        params = shelf.settings(name, read) if name in named else None
        if name in wanted.used and params is not None:
            if processor := shelf.build(name, params):
                processors[name] = processor
    return Plugged(processors, tuple(shelf.classes), tuple(shelf.failures))


class _Shelf:
    """The processors that were found, by name, and what failed meanwhile."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.failures: list[Failure] = []
        self._sources: dict[str, str] = {}

    def take_in(self, plugin: str) -> None:
        """All the processors of a file or a module, or none."""
        try:
            module = _run(plugin) if is_file(plugin) else _imported(plugin)
            found = [require_fit(each) for each in _processors(module)]
            if not found:
                raise Refused("it has no class that inherits Processor")
            self._require_free([each.name for each in found])
        except ANYTHING as error:
            self._fail(plugin, error, plugin)
        else:
            self._keep(found, plugin)

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

    def _require_free(self, names: Sequence[str]) -> None:
        for place, name in enumerate(names):
            if name in BUILTIN:
                raise Refused(f"{name!r} is malexbot's own: take another name")
            if name in names[:place]:
                raise Refused(f"two classes have the name {name!r}")
            if name in self.classes:
                raise Refused(f"{self._sources[name]} has a processor {name!r} too")

    def _keep(self, found: Iterable[Class], source: str) -> None:
        for each in found:
            self.classes[each.name] = each
            self._sources[each.name] = source

    def _fail(self, plugin: str, error: BaseException, file: str = "") -> None:
        self.failures.append(Failure(plugin, told(error, file)))


def _run(path: str) -> ModuleType:
    """A new module each time: nothing of an earlier run is left in it."""
    content = _content(path)
    module = ModuleType(f"plugins.{Path(path).stem}")
    module.__file__ = path
    before = sys.modules.get(module.__name__)
    # Annotations are looked up there, while it runs and later.
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, path, "exec", dont_inherit=True), vars(module))
    except BaseException:
        _restore(module.__name__, before)
        raise
    return module


def _content(path: str) -> bytes:
    try:
        return read_bytes(Path(path), MAX_BYTES)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None


def _restore(name: str, before: ModuleType | None) -> None:
    if before is None:
        del sys.modules[name]
    else:
        sys.modules[name] = before


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        hint = "install it where malexbot is, or name a file: ./mine.py"
        raise Refused(f"there is no module {error.name}; {hint}") from None


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
