"""What a person types, as terms."""

from __future__ import annotations

import pytest

from malexbot.storage.query import MOST_SIGNS, Term, Unsearchable, lexeme, parse


def words(*each: str) -> list[Term]:
    return [Term((word,)) for word in each]


def phrases(*each: str) -> list[Term]:
    return [Term(tuple(phrase.split())) for phrase in each]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Deploy  сервера", [words("deploy", "сервера")]),
        ('"to be" or', [[Term(("to", "be")), Term(("or",))]]),
        ("a -b", [[Term(("a",)), Term(("b",), is_excluded=True)]]),
        ('a -"b c"', [[Term(("a",)), Term(("b", "c"), is_excluded=True)]]),
        ("depl*", [[Term(("depl",), is_prefix=True)]]),
        ('"the depl*"', [[Term(("the", "depl"), is_prefix=True)]]),
        ('"the depl"*', [[Term(("the", "depl"), is_prefix=True)]]),
        ("x -depl*", [[Term(("x",)), Term(("depl",), True, True)]]),
        ("a OR b c", [words("a"), words("b", "c")]),
        ("a | b", [words("a"), words("b")]),
        ("a ИЛИ", [words("a")]),
        ("a b A", [words("a", "b")]),
        ("foo-bar git.example.org", [phrases("foo bar", "git example org")]),
        ('"not closed', [[Term(("not", "closed"))]]),
        ("c++ & !!! (x)", [words("c", "x")]),
    ],
)
def test_a_text_is_read_as_its_terms(text: str, query: list[list[Term]]) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no word in it"),
        ('*** "" - &|!', "no word in it"),
        ("-staging", "only what is not wanted"),
        ("deploy OR -staging", "only what is not wanted"),
        ("d*", "2 letters at least"),
        ("x" * (MOST_SIGNS + 1), "500 characters"),
    ],
)
def test_what_asks_for_nothing_is_refused_with_the_reason(
    text: str, reason: str
) -> None:
    with pytest.raises(Unsearchable, match=reason):
        parse(text)


def test_a_lexeme_is_quoted() -> None:
    assert lexeme("o'ne\\") == "'o''ne\\\\'"
