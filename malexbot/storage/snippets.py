"""The part of a text where what was looked for stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 200
# How far a border moves to fall between two words.
_SLACK = 20
MORE = "…"


class Mark(NamedTuple):
    """A place in a text, from here to there."""

    start: int
    end: int


class Piece(NamedTuple):
    """A part of a snippet, that was looked for or not."""

    text: str
    is_match: bool


def read_marks(marked: str, opening: str, closing: str) -> list[Mark]:
    """The places between these signs, in the text without them."""
    marks, at, start = [], 0, 0
    for sign in marked:
        if sign == opening:
            start = at
        elif sign == closing:
            marks.append(Mark(start, at))
        else:
            at += 1
    return marks


def cut(text: str, marks: Sequence[Mark], width: int = WIDTH) -> list[Piece]:
    """About so much of the text, on one line, where most marks are."""
    start, end = _window(text, marks, width)
    pieces = [Piece(MORE, False)] if start > 0 else []
    at = start
    for mark in marks:
        if start <= mark.start and mark.end <= end:
            pieces += (
                Piece(text[at : mark.start], False),
                Piece(text[mark.start : mark.end], True),
            )
            at = mark.end
    pieces.append(Piece(text[at:end], False))
    if end < len(text):
        pieces.append(Piece(MORE, False))
    return [each for each in map(_on_one_line, pieces) if each.text]


def _window(text: str, marks: Sequence[Mark], width: int) -> tuple[int, int]:
    if len(text) <= width:
        return 0, len(text)
    fullest = _fullest(marks, width)
    if not fullest:
        first = marks[0].start if marks else 0
        return _border(text, first), min(len(text), first + width)
    room = (width - (fullest[-1].end - fullest[0].start)) // 2
    start = max(0, min(fullest[0].start - room, len(text) - width))
    end = min(len(text), start + width)
    start = min(_border(text, start), fullest[0].start)
    return start, max(_border_before(text, end), fullest[-1].end)


def _fullest(marks: Sequence[Mark], width: int) -> Sequence[Mark]:
    """The most marks that are so close together, the first such ones."""
    best, end = slice(0, 0), 0
    for first, mark in enumerate(marks):
        while end < len(marks) and marks[end].end <= mark.start + width:
            end += 1
        if end - first > best.stop - best.start:
            best = slice(first, end)
    return marks[best]


def _border(text: str, at: int) -> int:
    """The beginning of a word, there or soon after it."""
    if at == 0:
        return 0
    for place in range(at, min(at + _SLACK, len(text))):
        if text[place - 1].isspace():
            return place
    return at


def _border_before(text: str, at: int) -> int:
    """The end of a word, there or soon before it."""
    if at == len(text):
        return at
    for place in range(at, max(at - _SLACK, 0), -1):
        if text[place].isspace():
            return place
    return at


def _on_one_line(piece: Piece) -> Piece:
    text = " ".join(piece.text.split())
    before = " " if piece.text[:1].isspace() else ""
    after = " " if text and piece.text[-1:].isspace() else ""
    return Piece(f"{before}{text}{after}", piece.is_match)
