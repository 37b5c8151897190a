"""A plugin's value, and what is left of it when somebody is erased."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.storage.unnamed import unnamed

ALICE = "5jx3c7k1ytd3zxs4apo8brhq7e"


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (ALICE, None),
        (f"asked by <@{ALICE}>", None),
        ("bob", "bob"),
        ([ALICE, "bob"], ["bob"]),
        ({"order": [ALICE, "bob"], "next": 1}, {"order": ["bob"], "next": 1}),
        ({ALICE: {"said": "x"}, "bob": {"said": "y"}}, {"bob": {"said": "y"}}),
        ({"by": ALICE, "said": "x"}, None),
        ([{"by": ALICE, "said": "x"}, {"by": "bob"}], [{"by": "bob"}]),
        ({"a": {"by": ALICE, "said": "x"}, "b": 2}, {"b": 2}),
        ({"deep": [{"a": [{"by": ALICE}]}]}, {"deep": [{"a": []}]}),
        ([None, True, 1.5, "", {}], [None, True, 1.5, "", {}]),
        (7, 7),
    ],
)
def test_what_names_them_goes_with_what_stands_beside_it(value: Any, left: Any) -> None:
    assert unnamed(value, ALICE) == left


def test_an_id_may_be_a_number() -> None:
    assert unnamed({"by": 42, "said": "x"}, "42") is None
    assert unnamed([42, 421], "42") == [421]
    assert unnamed(["by 42", "42:x", "1421"], "42") == ["1421"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["x", ALICE, "y"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["k", "l", ALICE]), inner, max_size=3),
    max_leaves=12,
)


@given(value=json)
def test_whatever_is_left_names_them_nowhere(value: Any) -> None:
    left = unnamed(value, ALICE)
    assert ALICE not in repr(left)
    if ALICE not in repr(value):
        assert left == value
    assert unnamed(left, ALICE) == left
