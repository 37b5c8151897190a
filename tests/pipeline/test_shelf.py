from __future__ import annotations

from typing import Any

import pytest

from malexbot.pipeline.hold import Revoked
from malexbot.pipeline.shelf import StoreShelf
from malexbot.ports import Put, Seen
from tests.support.store import MemoryStore


def kept(**values: Any) -> MemoryStore:
    store = MemoryStore()
    for key, value in values.items():
        store.put(Put("rota", key, value))
    return store


def test_it_sees_its_own_writes_and_nobody_else_does() -> None:
    store = kept(who="alice")
    shelf = StoreShelf(store, "rota")
    shelf.set("who", "bob")
    shelf.set("new", [1])
    assert (shelf.get("who"), shelf.get("new")) == ("bob", [1])
    assert store.read("rota", "who").value == "alice"


def test_what_was_read_and_written_names_the_state_that_was_seen() -> None:
    store = kept(n=1)
    version = store.read("rota", "n").version
    shelf = StoreShelf(store, "rota")
    shelf.set("n", shelf.get("n") + 1)
    assert shelf.writes == [Put("rota", "n", 2, version)]


def test_what_was_only_read_has_to_count_still() -> None:
    store = kept(n=1)
    shelf = StoreShelf(store, "rota")
    assert shelf.get("n") == 1 and shelf.get("absent", "none") == "none"
    shelf.set("m", 1)
    version = store.read("rota", "n").version
    assert shelf.writes == [
        Put("rota", "m", 1),
        Seen("rota", "n", version),
        Seen("rota", "absent", 0),
    ]


def test_what_nobody_read_is_written_whatever_was_there() -> None:
    shelf = StoreShelf(kept(n=1), "rota")
    shelf.set("n", 5)
    assert shelf.writes == [Put("rota", "n", 5, None)]


def test_what_is_deleted_is_not_there() -> None:
    store = kept(n=1)
    shelf = StoreShelf(store, "rota")
    assert shelf.get("n") == 1
    shelf.delete("n")
    assert shelf.get("n", "gone") == "gone" and shelf.items() == {}
    (write,) = shelf.writes
    assert write == Put("rota", "n", None, store.read("rota", "n").version)


def test_items_are_those_of_a_prefix_in_order_with_ones_own() -> None:
    shelf = StoreShelf(kept(b2=2, b1=1, c1=3), "rota")
    shelf.set("b3", 3)
    shelf.set("a1", 0)
    shelf.delete("b2")
    assert list(shelf.items("b").items()) == [("b1", 1), ("b3", 3)]
    assert list(shelf.items()) == ["a1", "b1", "b3", "c1"]


def test_items_count_by_what_was_read_first() -> None:
    store = kept(n=1)
    shelf = StoreShelf(store, "rota")
    shelf.get("n")
    version = store.read("rota", "n").version
    store.put(Put("rota", "n", 2))
    assert shelf.items() == {"n": 1}
    shelf.set("n", 9)
    assert shelf.writes == [Put("rota", "n", 9, version)]


def test_what_is_given_out_is_a_copy() -> None:
    shelf = StoreShelf(kept(names=["a"]), "rota")
    shelf.get("names").append("b")
    assert shelf.get("names") == ["a"]
    mine = ["x"]
    shelf.set("mine", mine)
    mine.append("y")
    assert shelf.get("mine") == ["x"]


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan")])
def test_what_is_no_json_is_refused_where_it_is_set(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        StoreShelf(kept(), "rota").set("key", value)


def test_who_was_given_up_reads_and_writes_nothing() -> None:
    def check() -> None:
        raise Revoked("too long")

    shelf = StoreShelf(kept(n=1), "rota", check=check)
    for act in (lambda: shelf.get("n"), lambda: shelf.set("n", 1), shelf.items):
        with pytest.raises(Revoked):
            act()
