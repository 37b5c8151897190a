"""Which processors act on which events, in both forms."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from malexbot.config.processors import EventProcessors

EVENTS: TypeAdapter[Any] = TypeAdapter(EventProcessors)


@pytest.mark.parametrize(
    "written",
    [
        [{"hello": ["log"]}, {"posted": ["save", "response"]}],
        {"hello": ["log"], "posted": ["save", "response"]},
        [{"hello": "log", "posted": ["save", "response", "save"]}],
        [{"posted": ["save"]}, {"hello": ("log",)}, {"posted": "response"}],
    ],
)
def test_a_list_of_maps_means_the_same_as_a_map(written: Any) -> None:
    assert EVENTS.validate_python(written) == {
        "hello": ("log",),
        "posted": ("save", "response"),
    }


@pytest.mark.parametrize("nothing", [{}, []])
def test_no_event_is_allowed(nothing: Any) -> None:
    assert EVENTS.validate_python(nothing) == {}


def test_an_event_without_processors_is_allowed() -> None:
    assert EVENTS.validate_python([{"hello": None}, {"posted": []}]) == {
        "hello": (),
        "posted": (),
    }


def test_what_is_read_is_read_back() -> None:
    events = EVENTS.validate_python([{"hello": "log"}])
    assert EVENTS.validate_python(EVENTS.dump_python(events, mode="json")) == events


def test_every_mistake_has_its_place() -> None:
    with pytest.raises(ValidationError) as raised:
        EVENTS.validate_python(["x", [{"a": "b"}], {"a b": "c"}, {"d": ["e", 5]}])
    assert [error["loc"] for error in raised.value.errors()] == [
        (0,),
        (1,),
        (2, "a b"),
        (3, "d", 1),
    ]
