"""What a class has to be like to be a processor, told before it is ever used."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from pydantic import BaseModel

from malexbot.plugins.refusal import Refused
from malexbot.ports import Processor

Class = type[Processor]

_WORD = re.compile(r"[A-Za-z0-9_.-]+")
# What malexbot calls, and with what.
_CALLS: Mapping[str, tuple[str, ...]] = {
    "keeps": ("event",),
    "wants": ("event", "occasion"),
    "handle": ("event", "occasion", "bot"),
    "look": ("event",),
}


def settings_of(found: Class) -> type[BaseModel] | None:
    """The model of its settings; None if it has none."""
    params = getattr(found, "Params", None)
    if params is None:
        return None
    if isinstance(params, type) and issubclass(params, BaseModel):
        return params
    raise Refused(f"{found.__name__}.Params has to be a class that inherits Settings")


def require_fit(found: object) -> Class:
    """That it is a class which malexbot can use; raises Refused."""
    if not isinstance(found, type) or not issubclass(found, Processor):
        name = getattr(found, "__name__", found)
        raise Refused(f"{name} is not a class that inherits Processor")
    name = getattr(found, "name", None)
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        raise Refused(f'class {found.__name__} needs a name of one word: name = "…"')
    _require_acts(found)
    for method, given in _CALLS.items():
        _require_takes(found, method, ("self", *given))
    given = ("params",) if settings_of(found) else ()
    _require_takes(found, "__init__", ("self", *given))
    return found


def _require_acts(found: Class) -> None:
    if not any(_has(found, method) for method in _CALLS):
        several = f"{', '.join(list(_CALLS)[:-1])} or look"
        raise Refused(f"class {found.__name__} does nothing: it needs {several}")
    if _has(found, "handle") and not _has(found, "wants"):
        hint = "`wants` has to say for which events"
        raise Refused(f"{found.__name__}.handle is never called: {hint}")


def _has(found: Class, method: str) -> bool:
    return getattr(found, method) is not getattr(Processor, method)


def _require_takes(found: Class, method: str, given: tuple[str, ...]) -> None:
    try:
        inspect.signature(getattr(found, method)).bind(*given)
    except TypeError:
        called = f"{found.__name__}.{method} has to take ({', '.join(given)})"
        raise Refused(called) from None
