"""What a post is found by."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.storage.words import MOST_SIGNS, plain, said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Server DOWN", "server down"),
        ("Ёлка", "елка"),
        ("see https://git.example.org/a_b?x=1", "see https git example org a b x 1"),
        ("anna@example.org, @boris: #42!", "anna example org boris 42"),
        ("<b>-5 & 3.14</b>", "b 5 3 14 b"),
        ("привет😀мир\0", "привет мир"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_only_words_are_left_in_small_letters(text: str, words: str) -> None:
    assert plain(text).split() == words.split()


@given(st.text(st.characters(exclude_categories=[])))
def test_a_place_in_the_words_is_the_place_in_the_text(text: str) -> None:
    assert len(plain(text)) == len(text)
    assert "\0" not in plain(text)
    plain(text).encode()


def test_attachments_and_names_of_files_are_said_too() -> None:
    raw = orjson.dumps(
        {
            "props": {"attachments": [{"title": "Build", "fields": [{"value": 7}]}]},
            "metadata": {"files": [{"name": "report.pdf"}]},
        }
    ).decode()
    assert said("look", raw).split("\n") == ["look", "Build", "7", "report.pdf"]


@pytest.mark.parametrize("raw", [None, "", "{", "[]", "1", '{"props": 5}'])
def test_where_there_is_nothing_besides_the_message_has_to_do(raw: str | None) -> None:
    assert said("look", raw) == "look"


def test_letters_in_two_parts_are_one_letter() -> None:
    assert said("и\N{COMBINING BREVE}", None) == "й"


def test_what_is_too_long_to_be_read_is_cut() -> None:
    assert len(said("a" * 200_000, None)) == MOST_SIGNS
