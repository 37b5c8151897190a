"""Plots of signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from malexbot.cli.plots import bar, columns, fitted, shade, shown_width, squeezed


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(0, ""), (8, "████"), (4, "██"), (1, "▌"), (0.01, "▏"), (7, "███▌")],
)
def test_a_bar_is_as_long_as_its_share(value: float, drawn: str) -> None:
    assert bar(value, 8, 4) == drawn


def test_columns_are_as_high_as_their_share() -> None:
    assert list(columns([0, 1, 8, 16], 2)) == ["   █", " ▁██"]
    assert list(columns([0, 0], 1)) == ["  "]
    assert list(columns([0.001, 1000], 1)) == ["▁█"]


def test_the_darker_the_more() -> None:
    assert "".join(shade(value, 100) for value in (0, 1, 26, 51, 76, 100)) == "·░▒▓██"
    assert shade(0, 0) == "·"


@given(some.lists(some.integers(0, 9), max_size=200), some.integers(1, 50))
def test_as_many_sums_as_fit_hold_everything(values: list[int], width: int) -> None:
    sums = squeezed(values, width)
    assert len(sums) <= width
    assert sum(sums) == sum(values)


def test_days_that_fit_stay_days() -> None:
    assert squeezed([1, 2, 3], 3) == [1, 2, 3]
    assert squeezed([1, 2, 3, 4, 5], 3) == [3, 7, 5]


@given(some.text(max_size=30), some.integers(1, 20))
def test_text_takes_the_width_it_is_given(text: str, width: int) -> None:
    assert shown_width(fitted(text, width)) == width


def test_what_is_cut_shows_that_it_was() -> None:
    assert fitted("Town Square", 6) == "Town …"
    assert fitted("общий", 7) == "общий  "
    assert fitted("日本語", 5) == "日本…"
