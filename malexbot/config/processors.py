"""Which processors act on which events: the list of maps, or the plain map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from malexbot.config.problems import Where

_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_FORM = "needs an event and its processors, such as `posted: [save]`"

_LIST = "needs the processors as a list, such as [log, save]"

# What is wrong at which place below the setting.
_Wrong = tuple[Where, str]


def _by_event(value: Any) -> dict[str, tuple[str, ...]]:
    """Processors by event; an event that is named again adds to the first."""
    wrong: list[_Wrong] = []
    events: dict[str, tuple[str, ...]] = {}
    for where, event, processors in _entries(value, (), wrong):
        names = events.get(event, ()) + _names(processors, where, wrong)
        events[event] = tuple(dict.fromkeys(names))
    if wrong:
        raise ValidationError.from_exception_data("events", [*map(_detail, wrong)])
    return events


def _entries(
    value: Any, where: Where, wrong: list[_Wrong]
) -> Iterator[tuple[Where, str, Any]]:
    """Each event as it is written: its place, its name, its processors."""
    if isinstance(value, Mapping):
        for event, processors in value.items():
            if _WORD.fullmatch(str(event)):
                yield (*where, event), event, processors
            else:
                wrong.append(((*where, event), "needs the name of an event, one word"))
    elif isinstance(value, (list, tuple)) and not where:
        for index, item in enumerate(value):
            yield from _entries(item, (index,), wrong)
    else:
        wrong.append((where, _FORM))


def _names(value: Any, where: Where, wrong: list[_Wrong]) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, Mapping):
        wrong.append((where, _LIST))
        return ()
    names: list[str] = []
    for index, item in enumerate(
        value if isinstance(value, (list, tuple)) else [value]
    ):
        if isinstance(item, str) and _WORD.fullmatch(item):
            names.append(item)
        else:
            place = (*where, index)
            wrong.append((place, "needs the name of a processor, one word"))
    return tuple(names)


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
