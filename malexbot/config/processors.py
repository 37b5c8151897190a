"""Which processors act on which events: the list of maps, or the plain map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_FORM = "needs an event and its processors, such as `posted: [save]`"

# What is wrong at which place below the setting.
_Wrong = tuple[tuple[str | int, ...], str]


def _by_event(value: Any) -> dict[str, tuple[str, ...]]:
    """Processors by event; an event that is named again adds to the first."""
    wrong: list[_Wrong] = []
    events: dict[str, tuple[str, ...]] = {}
    for where, event, processors in _entries(value, wrong):
        names = events.get(event, ()) + _names(where, processors, wrong)
        events[event] = tuple(dict.fromkeys(names))
    if wrong:
        raise ValidationError.from_exception_data("events", [*map(_detail, wrong)])
    return events


def _entries(
    value: Any, wrong: list[_Wrong]
) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    if isinstance(value, Mapping):
        for event, processors in value.items():
            if _WORD.fullmatch(str(event)):
                yield (event,), event, processors
            else:
                wrong.append(((event,), "needs the name of an event, one word"))
        return
    if not isinstance(value, (list, tuple)):
        wrong.append(((), _FORM))
        return
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            wrong.append(((index,), _FORM))
            continue
        for where, event, processors in _entries(item, wrong):
            yield (index, *where), event, processors


def _names(
    where: tuple[str | int, ...], value: Any, wrong: list[_Wrong]
) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    for index, item in enumerate(items):
        if not isinstance(item, str) or not _WORD.fullmatch(item):
            wrong.append(((*where, index), "needs the name of a processor, one word"))
    return tuple(item for item in items if isinstance(item, str))


def _detail(wrong: _Wrong) -> InitErrorDetails:
    where, text = wrong
    return InitErrorDetails(
        type=PydanticCustomError("value_error", "{text}", {"text": text}),
        loc=where,
        input=None,
    )


_NAMES = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "null"},
    ]
}
_MAP = {"type": "object", "additionalProperties": _NAMES}

EventProcessors = Annotated[
    Mapping[str, tuple[str, ...]],
    BeforeValidator(_by_event),
    WithJsonSchema({"anyOf": [_MAP, {"type": "array", "items": _MAP}]}),
]
