"""Moments as people write and read them: in the time zone of who sits there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import click

FORMS = "2026-01-31, 2026-01, '2026-01-31 18:00', 18:00, yesterday, or 7d"

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_PART = re.compile("([0-9]{1,6})([wdhms])")
_AGO = re.compile(f"(?:{_PART.pattern})+")
_MONTH = re.compile("([0-9]{4})-([0-9]{1,2})")
_DAY = re.compile("([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_EUROPEAN = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_CLOCK = re.compile("([0-9]{1,2}):([0-9]{2})")
# What the database can add to a time, and more than anybody waits for.
LONGEST_S = 10 * 365 * 86_400.0
_DAYS_AGO = {"today": 0, "yesterday": 1}


class Written(int):
    """A moment in milliseconds, which knows how it was written."""

    text: str = ""

    @classmethod
    def as_text(cls, at: datetime, text: str) -> Written:
        # A day that is before all days of the database is as good as its first.
        written = cls(max(0, round(at.timestamp() * 1000)))
        written.text = text
        return written


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A date, a time, or so long ago, as milliseconds.

    A day or a month is its first moment; at the end of a span (`is_end`) it belongs
    to the span, so it is the first moment after it.
    """

    name = "time"

    def __init__(
        self,
        *,
        is_end: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._is_end = is_end
        self._now = now

    def convert(
        self,
        value: str | int,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Written:
        if isinstance(value, Written):
            return value
        text = str(value).strip()
        try:
            first, after = span(text.lower(), self._now())
            return Written.as_text(after if self._is_end else first, text)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no moment such as {FORMS}", param, ctx)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A length of time, in seconds."""

    name = "duration"

    def convert(
        self,
        value: str | float,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        if isinstance(value, float):
            return value
        parts = (
            _PART.findall(value.lower())
            if _AGO.fullmatch(value.strip().lower())
            else []
        )
        seconds = sum(int(n) * _UNITS[u].total_seconds() for n, u in parts)
        if not 0 < seconds <= LONGEST_S:
            self.fail(
                f"{value!r} is no duration such as 30s, 10m, 2h or 1d", param, ctx
            )
        return seconds


def span(text: str, now: datetime) -> tuple[datetime, datetime]:
    """When it begins and when it is over; of a moment both are the same."""
    if _AGO.fullmatch(text):
        length = sum((int(n) * _UNITS[u] for n, u in _PART.findall(text)), timedelta())
        return now - length, now - length
    if text in _DAYS_AGO:
        return _day(now.astimezone().date() - timedelta(days=_DAYS_AGO[text]))
    if found := _DAY.fullmatch(text):
        return _day(date(int(found[1]), int(found[2]), int(found[3])))
    if found := _EUROPEAN.fullmatch(text):
        return _day(date(int(found[3]), int(found[2]), int(found[1])))
    if found := _MONTH.fullmatch(text):
        return _month(date(int(found[1]), int(found[2]), 1))
    at = _clock(text, now)
    return at, at


def _day(day: date) -> tuple[datetime, datetime]:
    return _midnight(day), _midnight(day + timedelta(days=1))


def _month(first: date) -> tuple[datetime, datetime]:
    return _midnight(first), _midnight((first + timedelta(days=31)).replace(day=1))


def _midnight(day: date) -> datetime:
    """In the zone of this machine; a day need not have 24 hours there."""
    return datetime(day.year, day.month, day.day).astimezone()


def _clock(text: str, now: datetime) -> datetime:
    """A time of today, or a day with a time."""
    if found := _CLOCK.fullmatch(text):
        today = now.astimezone().date()
        return datetime(
            today.year, today.month, today.day, int(found[1]), int(found[2])
        ).astimezone()
    return datetime.fromisoformat(text.upper()).astimezone()


def readable_ms(at_ms: int) -> str:
    return moment(datetime.fromtimestamp(at_ms / 1000, UTC))


def moment(at: datetime) -> str:
    """A time in the zone of who reads it."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
