"""Moments as people write and read them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import pytest

from malexbot.cli.moments import Duration, Moment, Written, readable_ms

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


@pytest.fixture(params=["UTC", "Europe/Moscow", "America/New_York"], autouse=True)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Who reads and writes them sits there."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def read(text: str, *, is_end: bool = False) -> Written:
    return Moment(is_end=is_end, now=lambda: NOW).convert(text, None, None)


def local(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-11-20", "2026-11-20", "2026-11-21"),
        ("2026-11-1", "2026-11-01", "2026-11-02"),
        ("20.11.2026", "2026-11-20", "2026-11-21"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("today", "2026-11-21", "2026-11-22"),
        ("Yesterday", "2026-11-20", "2026-11-21"),
        # the clocks went forward, and back, in New York
        ("2026-03-08", "2026-03-08", "2026-03-09"),
        ("2026-11-01", "2026-11-01", "2026-11-02"),
    ],
)
def test_a_day_or_a_month_is_a_span(text: str, first: str, after: str) -> None:
    assert read(text) == local(first)
    assert read(text, is_end=True) == local(after)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20 18:00", "2026-11-20 18:00"),
        ("2026-11-20T18:00:30", "2026-11-20 18:00:30"),
        ("2026-11-20T18:00Z", "2026-11-20 18:00+00:00"),
        ("2026-11-20T18:00+03:00", "2026-11-20 15:00+00:00"),
        ("9:05", "2026-11-21 09:05"),
        ("7d", "2026-11-14 10:30+00:00"),
        ("2w", "2026-11-07 10:30+00:00"),
        ("1h30m", "2026-11-21 09:00+00:00"),
    ],
)
def test_a_moment_is_the_same_at_both_ends(text: str, at: str) -> None:
    assert read(text) == read(text, is_end=True) == local(at)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13-01", "30.02.2026", "25:00", "7", "d", "99999999d", "-7d"],
)
def test_what_is_no_moment_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        read(text)
    assert "2026-01-31" in str(refused.value) and "7d" in str(refused.value)


def test_it_knows_how_it_was_written() -> None:
    written = read(" 7d ")
    assert written.text == "7d"
    assert Moment().convert(written, None, None) is written


def test_what_was_before_all_time_is_its_beginning() -> None:
    assert read("1960-01-01") == 0


def test_a_time_is_told_in_the_zone_of_who_reads_it(zone: str) -> None:
    assert readable_ms(local("2026-11-20 18:00")) == "2026-11-20 18:00:00"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("2D", 172_800), ("1w", 604_800)],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0s", "soon", "5", "-1h", "99999w"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration such as"):
        Duration().convert(text, None, None)
