"""What is lost, doubled or out of order in the streams is seen; what may be is not."""

from __future__ import annotations

from tests.crash.streams import Entry, disordered, doubled, lost

TOLD = {"a": "message", "b": "message", "c": "command"}


def entries(*ids: str, lane: str = "vk:1") -> list[Entry]:
    return [Entry(id, lane, "live") for id in ids]


RIGHT = {"message": entries("a", "b"), "command": entries("c", lane="vk:@1")}


def test_what_stands_where_it_belongs_is_right() -> None:
    assert not [*lost(TOLD, RIGHT), *doubled(RIGHT), *disordered(TOLD, RIGHT)]


def test_what_is_missing_is_lost_unless_it_is_excused() -> None:
    found = {"message": entries("b"), "command": entries("c")}
    assert [*lost(TOLD, found)] == ["a"]
    assert not [*lost(TOLD, found, {"a"})]


def test_what_stands_in_a_strange_stream_is_lost() -> None:
    found = {"message": entries("a", "b", "c"), "command": entries()}
    assert [*lost(TOLD, found)] == ["c"]


def test_what_stands_twice_is_doubled_wherever_it_stands() -> None:
    assert [*doubled({"message": entries("a", "b", "a")})] == ["a"]
    assert [*doubled({"message": entries("a"), "command": entries("a")})] == ["a"]


def test_what_came_after_something_later_is_out_of_order() -> None:
    found = {"message": entries("b", "a")}
    assert [*disordered(TOLD, found)] == ["a"]
    assert not [*disordered(TOLD, found, {"b"})]
    other_lanes = {"message": [*entries("b"), *entries("a", lane="vk:2")]}
    assert not [*disordered(TOLD, other_lanes)]
