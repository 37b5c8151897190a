from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.pipeline.split import FENCE, split


def test_what_fits_is_one_part_just_as_it_is() -> None:
    assert split("a\n\nb\n", 10) == ["a\n\nb\n"]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_nothing_is_no_part(text: str) -> None:
    assert split(text, 10) == []


def test_lines_are_kept_whole() -> None:
    assert split("one\ntwo\nthree\nfour", 9) == ["one\ntwo", "three", "four"]


def test_a_long_line_is_cut_at_a_blank_if_it_has_one() -> None:
    assert split("aaa bbb ccc", 8) == ["aaa bbb ", "ccc"]
    assert split("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_code_block_is_kept_whole() -> None:
    code = "```py\nx = 1\ny = 2\n```"
    assert split(f"before it\n{code}\nafter", 25) == ["before it", code, "after"]


def test_a_code_block_that_is_too_long_is_closed_and_opened_again() -> None:
    code = "```py\n" + "".join(f"line {n}\n" for n in range(10)) + "```"
    parts = split(code, 40)
    assert len(parts) > 1
    assert all(part.startswith("```py\n") and part.endswith("\n```") for part in parts)
    inside = "".join(part[len("```py\n") : -len("```")] for part in parts)
    assert inside == "".join(f"line {n}\n" for n in range(10))


def test_a_block_that_is_never_closed_is_closed() -> None:
    parts = split("```\n" + "a line\n" * 20, 40)
    assert all(part.count(FENCE) == 2 for part in parts)


lines = st.lists(st.text("ab ", max_size=30) | st.just("```") | st.just("```py"))


@given(lines.map("\n".join), st.integers(20, 80))
def test_no_word_is_lost_and_no_part_is_too_long(text: str, longest: int) -> None:
    parts = split(text, longest)
    assert all(0 < len(part) <= longest for part in parts)
    assert letters("".join(parts)) == letters(text)


def letters(text: str) -> str:
    return re.sub(r"```(py)?|\s", "", text)
