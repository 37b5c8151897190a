"""When something is due: lines of cron as cron reads them, in any zone."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.runtime.calendar import Calendar, CalendarError, Cron, Every

BERLIN = "Europe/Berlin"
HOUR_MS = 3_600_000


def ms(text: str, zone: str = "UTC") -> int:
    at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(at.timestamp()) * 1000


def shown(at_ms: int, zone: str = "UTC") -> str:
    at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    return f"{at:%Y-%m-%d %H:%M}"


def following(calendar: Calendar, now_ms: int, count: int) -> list[int]:
    found = []
    for _ in range(count):
        now_ms = calendar.next(now_ms)
        found.append(now_ms)
    return found


# Lines.


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("0 9 * * *", "2026-11-21 08:59", "2026-11-21 09:00"),
        ("0 9 * * *", "2026-11-21 09:00", "2026-11-22 09:00"),
        ("*/15 * * * *", "2026-11-21 08:46", "2026-11-21 09:00"),
        ("5/20 8 * * *", "2026-11-21 08:06", "2026-11-21 08:25"),
        ("0 0 1 1 *", "2026-11-21 08:00", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2026-11-21 08:00", "2028-02-29 00:00"),
        ("0 9 * * mon-fri", "2026-11-20 10:00", "2026-11-23 09:00"),
        # Of cron: 1 is Monday, and Sunday is 0 and 7.
        ("0 9 * * 1", "2026-11-21 08:00", "2026-11-23 09:00"),
        ("0 9 * * 0", "2026-11-21 08:00", "2026-11-22 09:00"),
        ("0 9 * * 7", "2026-11-21 08:00", "2026-11-22 09:00"),
        ("0 9 * * fri-sun", "2026-11-21 10:00", "2026-11-22 09:00"),
        ("0 9 * * sun-tue", "2026-11-18 10:00", "2026-11-22 09:00"),
        ("0 9 * JAN,mar *", "2026-11-18 10:00", "2027-01-01 09:00"),
        # One of two bound days is enough.
        ("0 9 13 * fri", "2026-11-21 10:00", "2026-11-27 09:00"),
        ("0 9 13 * fri", "2026-12-12 10:00", "2026-12-13 09:00"),
        ("@daily", "2026-11-21 10:00", "2026-11-22 00:00"),
    ],
)
def test_a_line_means_what_cron_means(line: str, after: str, expected: str) -> None:
    assert shown(Cron(line).next(ms(after))) == expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 9 * *", "is no line of cron"),
        ("60 9 * * *", "'60' is not within 0-59"),
        ("0 9 * * 8", "'8' is not within 0-7"),
        ("0 9 * * monkey-", "is no part of a line"),
        ("0 17-9 * * *", "runs backwards"),
        ("*/0 9 * * *", "runs backwards"),
        ("0 9 31 2 *", "never comes"),
    ],
)
def test_what_is_no_line_is_told(line: str, told: str) -> None:
    with pytest.raises(CalendarError, match=told):
        Cron(line)


def test_a_zone_that_is_none_is_told() -> None:
    with pytest.raises(CalendarError, match="no time zone 'Mars/Base'"):
        Cron("0 9 * * *", "Mars/Base")


# Clocks that are put on and back.


def test_the_zone_of_the_machine_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        due = Cron("0 9 * * *").next(ms("2026-11-21 08:00"))
    time.tzset()
    assert shown(due) == "2026-11-21 09:00"


def test_a_zone_moves_with_its_summer() -> None:
    cron = Cron("0 9 * * *", BERLIN)
    assert shown(cron.next(ms("2026-03-28 12:00"))) == "2026-03-29 07:00"
    assert shown(cron.next(ms("2026-03-27 12:00"))) == "2026-03-28 08:00"


def test_an_hour_that_is_left_out_comes_right_after_it() -> None:
    cron = Cron("30 2 * * *", BERLIN)
    due = following(cron, ms("2026-03-28 00:00"), 3)
    assert [shown(at, BERLIN) for at in due] == [
        "2026-03-28 02:30",
        "2026-03-29 03:30",
        "2026-03-30 02:30",
    ]


def test_an_hour_that_comes_twice_counts_once() -> None:
    cron = Cron("30 2 * * *", BERLIN)
    due = following(cron, ms("2026-10-24 12:00"), 2)
    assert [shown(at) for at in due] == ["2026-10-25 00:30", "2026-10-26 01:30"]


def test_what_comes_every_hour_comes_in_both_of_them() -> None:
    cron = Cron("*/30 * * * *", BERLIN)
    begin = ms("2026-10-24 22:00")
    due = following(cron, begin, 10)
    assert due == [begin + n * HOUR_MS // 2 for n in range(1, 11)]


def test_what_comes_every_hour_leaves_no_hour_out_in_spring() -> None:
    cron = Cron("*/30 * * * *", BERLIN)
    begin = ms("2026-03-28 23:00")
    assert following(cron, begin, 8) == [begin + n * HOUR_MS // 2 for n in range(1, 9)]


# The last one that has come.


def test_the_last_one_is_found_within_its_bounds() -> None:
    cron, now_ms = Cron("0 9 * * mon"), ms("2026-11-24 10:00")
    assert cron.last(now_ms, now_ms - 48 * HOUR_MS) == ms("2026-11-23 09:00")
    assert cron.last(now_ms, now_ms - HOUR_MS) is None
    assert cron.last(ms("2026-11-23 09:00"), 0 + ms("2026-11-23 09:00")) is not None


CALENDARS = st.sampled_from(
    [
        Every(60),
        Every(7.5),
        Cron("*/7 * * * *", BERLIN),
        Cron("15 2,3 * * *", BERLIN),
        Cron("0 9 1,15 * fri", "America/New_York"),
        Cron("30 1 * * *", "Australia/Lord_Howe"),
    ]
)


@given(CALENDARS, st.integers(1_700_000_000_000, 1_900_000_000_000))
def test_the_next_one_is_then_the_last_one(calendar: Calendar, now_ms: int) -> None:
    due = calendar.next(now_ms)
    assert due > now_ms
    assert calendar.last(due, now_ms) == due
    assert calendar.last(due - 1, now_ms + 1) is None
    assert calendar.next(due - 1) == due


def test_every_so_often_is_the_same_for_whoever_asks() -> None:
    every = Every(300)
    due = every.next(ms("2026-11-21 10:02"))
    assert shown(due) == "2026-11-21 10:05"
    assert every.next(due) == due + 300_000
    assert (every.last(due, due), every.last(due, due + 1)) == (due, None)
    assert Every(1).next(0) == 1000
    with pytest.raises(CalendarError, match="every 1 s is the most"):
        Every(0.5)


def test_it_says_what_it_is() -> None:
    assert str(Cron("0 9 * * *", BERLIN)) == "0 9 * * * (Europe/Berlin)"
    assert str(Every(90)) == "every 90 s"
