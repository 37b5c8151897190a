"""Reads the configuration file; says all that is wrong with it at once."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from malexbot.config.document import MAX_BYTES, Document, parse
from malexbot.config.explain import explain
from malexbot.config.files import read_bytes
from malexbot.config.model import Config
from malexbot.config.oddities import oddities
from malexbot.config.plugins import Outlet, Plug, Plugged
from malexbot.config.problems import ConfigProblems, Problem, Where
from malexbot.config.secrets import Secrets, expanded
from malexbot.config.served import unserved

DEFAULT_FILE = Path("/etc/malexbot.yaml")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sound configuration, and what is odd about it nevertheless."""

    config: Config
    warnings: tuple[Problem, ...]
    failures: tuple[Problem, ...] = ()
    """The plugins that are switched off; a daemon that starts runs without them."""

    def require_plugins(self) -> None:
        """Raises ConfigProblems if a plugin failed."""
        if self.failures:
            raise ConfigProblems(self.failures)


def load(
    path: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    plug: Plug | None = None,
) -> Config:
    """The configuration in a file; raises ConfigProblems, which tells all of them.

    Without `plug` the plugins, and what is said of them, are left alone.
    """
    loaded = load_with_warnings(path, environ=environ, plug=plug)
    loaded.require_plugins()
    return loaded.config


def load_with_warnings(
    path: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    plug: Plug | None = None,
) -> Loaded:
    """Like `load`, but a plugin that fails is only told."""
    document = parse(_content(path), path)
    value = expanded(document.value, environ, document)
    outlet, plugged = Outlet(value, document), Plugged()
    if plug:
        read = partial(validate, document=document, environ=environ)
        plugged = outlet.plug(plug, read)
    failures = outlet.failures(plugged)
    for where, text, hint in unserved(value):
        document.add(where, text, hint)
    config = validate(Config, value, document=document, environ=environ)
    if config is None or document.problems:
        problems = (*document.problems, *failures)
        raise ConfigProblems(sorted(problems, key=lambda p: p.line or 0))
    odd = (*oddities(config, document), *outlet.oddities(plugged))
    return Loaded(config.plugged_with(plugged), odd, failures)


def validate(
    model: type[Model],
    value: Any,
    *,
    document: Document,
    where: Where = (),
    environ: Mapping[str, str] = os.environ,
) -> Model | None:
    """The model of a value that stands at `where`; what is wrong goes to `document`.

    The value is the block's own, to be changed here: secrets are put in.
    """
    Secrets(document, environ).reveal(model, value, where)
    try:
        return model.model_validate(value, context={"folder": document.file.parent})
    except ValidationError as error:
        explain(error, model, document, where)
        return None


def _content(path: Path) -> bytes:
    """The file's bytes, at most one more than are allowed."""
    try:
        return read_bytes(path, MAX_BYTES + 1)
    except FileNotFoundError:
        text = "there is no such file"
        hint = "`malexbot install` puts a sample in place; --config names another file"
    except IsADirectoryError:
        text, hint = "this is a folder, not a file", "--config takes the file in it"
    except PermissionError:
        text, hint = f"{_user()} may not read it", "run it with sudo or as its owner"
    except OSError as error:
        text, hint = f"cannot be read: {error.strerror}", None
    except ValueError:
        text, hint = "this is not the name of a file", None
    raise ConfigProblems([Problem(path, None, "", text, hint)])


def _user() -> str:
    try:
        return f"the user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"the user {os.geteuid()}"
