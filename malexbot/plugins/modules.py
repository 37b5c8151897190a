"""How the files and modules of plugins are run."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from malexbot.config.files import read_bytes
from malexbot.config.plugins import is_file
from malexbot.plugins.refusal import Refused

MAX_BYTES = 1024 * 1024


def opened(plugin: str) -> ModuleType:
    """The module of a plugin; raises Refused, and whatever the plugin raises."""
    return _run(plugin) if is_file(plugin) else _imported(plugin)


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
