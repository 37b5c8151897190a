"""The part of a text that is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from malexbot.storage.snippets import MORE, Mark, Piece, cut, read_marks

FILLING = "lorem ipsum dolor sit amet " * 40


def whole(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def matches(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces if piece.is_match]


def test_marks_are_read_as_places_in_the_text_without_them() -> None:
    assert read_marks("a <bc> d<e>", "<", ">") == [Mark(2, 4), Mark(6, 7)]


def test_a_short_text_is_shown_whole_and_on_one_line() -> None:
    pieces = cut("one\n\n two three", [Mark(6, 9)])
    assert pieces == [Piece("one ", False), Piece("two", True), Piece(" three", False)]


def test_of_a_long_text_the_part_with_most_marks_is_shown() -> None:
    text = f"alone {FILLING} first and second {FILLING}"
    marks = [
        Mark(text.index(word), text.index(word) + len(word))
        for word in ("alone", "first", "second")
    ]
    pieces = cut(text, marks, width=80)
    assert matches(pieces) == ["first", "second"]
    assert whole(pieces).startswith(MORE) and whole(pieces).endswith(MORE)
    assert len(whole(pieces)) <= 90
    words = whole(pieces).strip(MORE).split()
    assert set(words) <= set(text.split())


def test_without_a_mark_the_beginning_is_shown() -> None:
    pieces = cut(f"begin {FILLING}", [], width=50)
    assert whole(pieces).startswith("begin lorem")
    assert whole(pieces).endswith(MORE)


def test_a_mark_longer_than_the_snippet_is_shown_from_its_beginning() -> None:
    text = f"{FILLING}{'x' * 500} end"
    pieces = cut(text, [Mark(len(FILLING), len(FILLING) + 500)], width=50)
    assert "xxx" in whole(pieces)
    assert len(whole(pieces)) < 80


@given(st.text(max_size=600), st.data(), st.integers(5, 100))
def test_any_text_is_cut_to_about_the_width(
    text: str, data: st.DataObject, width: int
) -> None:
    borders = data.draw(st.lists(st.integers(0, len(text)), max_size=40).map(sorted))
    marks = [Mark(*pair) for pair in zip(borders[::2], borders[1::2], strict=False)]
    pieces = cut(text, marks, width)
    assert len(whole(pieces)) <= width + 2 + 40
    assert "\n" not in whole(pieces)
