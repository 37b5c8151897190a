"""When something is due: every so often, or as a line of cron says.

The moments are those of the clock on the wall, whoever asks and however often, so that
two who ask mean the same ones. APScheduler has a cron too; measured, it numbers the
days of the week otherwise than cron does, and fires for ever in the hour that comes
twice when summer ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from itertools import product
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# A 29th of February can be eight years away; further nobody looks.
FURTHEST_DAYS = 8 * 366 + 1
LEAST_PERIOD_S = 1.0

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()
_PART = re.compile(r"(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:/([0-9]+))?")
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}


class CalendarError(ValueError):
    """Text that says no time; the message tells what is wrong."""


class Calendar(Protocol):
    """Moments, in milliseconds since 1970."""

    def last(self, now_ms: int, since_ms: int) -> int | None:
        """The latest that has come by now, and not before `since_ms`."""
        ...

    def next(self, now_ms: int) -> int:
        """The first that is still to come."""
        ...


class Every:
    """Every so many seconds, counted from 1970."""

    def __init__(self, seconds: float) -> None:
        if seconds < LEAST_PERIOD_S:
            raise CalendarError(f"every {LEAST_PERIOD_S:g} s is the most")
        self._period_ms = round(seconds * 1000)

    def last(self, now_ms: int, since_ms: int) -> int | None:
        due = now_ms - now_ms % self._period_ms
        return due if due >= since_ms else None

    def next(self, now_ms: int) -> int:
        return now_ms - now_ms % self._period_ms + self._period_ms

    def __str__(self) -> str:
        return f"every {self._period_ms / 1000:g} s"


class Cron:
    """A line of cron, `minute hour day month weekday`, in a zone.

    An hour that the clock leaves out comes right after it; one that comes twice counts
    once, unless every hour is meant.
    """

    def __init__(self, text: str, zone: str = "UTC") -> None:
        self._text, self._zone_name = text.strip(), zone
        fields = _SHORT.get(self._text, self._text).lower().split()
        if len(fields) != 5:
            hint = "minute hour day month weekday, as in 0 9 * * mon-fri"
            raise CalendarError(f"{text!r} is no line of cron; it has {hint}")
        minute, hour, day, month, weekday = fields
        self._zone = _zone(zone)
        self._minutes = _numbers(minute, 0, 59)
        self._hours = _numbers(hour, 0, 23)
        self._days = _numbers(day, 1, 31)
        self._months = _numbers(month, 1, 12, _MONTHS)
        self._weekdays = {n % 7 for n in _numbers(weekday, 0, 7, _DAYS)}
        self._is_hourly = hour.startswith("*")
        # As in cron: of two that are bound, one is enough.
        self._is_either = not (day.startswith("*") or weekday.startswith("*"))
        self._known: tuple[date, Sequence[int]] = date.min, ()
        if not self._has_day():
            raise CalendarError(f"{text!r} never comes")

    def last(self, now_ms: int, since_ms: int) -> int | None:
        day, first = self._date(now_ms), self._date(since_ms)
        while day >= first:
            come = [due for due in self._dues(day) if since_ms <= due <= now_ms]
            if come:
                return come[-1]
            day -= timedelta(days=1)
        return None

    def next(self, now_ms: int) -> int:
        day = self._date(now_ms)
        for _ in range(FURTHEST_DAYS):
            for due in self._dues(day):
                if due > now_ms:
                    return due
            day += timedelta(days=1)
        raise CalendarError(f"{self} never comes")

    def __str__(self) -> str:
        return f"{self._text} ({self._zone_name})"

    def _date(self, at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms / 1000, self._zone).date()

    def _has_day(self) -> bool:
        leap_year = date(2024, 1, 1)
        days = (leap_year + timedelta(days=n) for n in range(FURTHEST_DAYS))
        return any(map(self._is_day, days))

    def _is_day(self, day: date) -> bool:
        if day.month not in self._months:
            return False
        is_day = day.day in self._days
        is_weekday = day.isoweekday() % 7 in self._weekdays
        return is_day or is_weekday if self._is_either else is_day and is_weekday

    def _dues(self, day: date) -> Sequence[int]:
        """Those of one day on the wall, in their order."""
        if self._known[0] == day:
            return self._known[1]
        found: set[int] = set()
        hours = self._hours if self._is_day(day) else ()
        for hour, minute in product(hours, self._minutes):
            at = datetime(day.year, day.month, day.day, hour, minute)
            for fold in (0, 1) if self._is_hourly else (0,):
                moment = at.replace(tzinfo=self._zone, fold=fold).timestamp()
                if not self._is_hourly or self._shows(moment, at):
                    found.add(round(moment) * 1000)
        self._known = day, sorted(found)
        return self._known[1]

    def _shows(self, moment: float, at: datetime) -> bool:
        """Yes: the clock shows this time then; no: it never does."""
        return datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None) == at


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "Europe/Berlin is one, where tzdata is installed"
        raise CalendarError(f"there is no time zone {name!r}; {hint}") from None


def _numbers(
    field: str, least: int, most: int, names: Sequence[str] = ()
) -> Sequence[int]:
    """What one field allows: `*`, `5`, `1-5`, `*/15`, `mon-fri`; several by commas."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise CalendarError(f"{part!r} is no part of a line of cron")
        begin, end, step = match.groups()
        first = least if begin == "*" else _number(begin, least, most, names)
        if end:
            # Sunday ends a week as well as it begins one: fri-sun.
            last = _number(end, least, most, names) or (7 if most == 7 else 0)
        else:
            last = most if begin == "*" or step else first
        if first > last or step == "0":
            raise CalendarError(f"{part!r} runs backwards; write two parts: a-b,c-d")
        found.update(range(first, last + 1, int(step or 1)))
    return sorted(found)


def _number(text: str, least: int, most: int, names: Sequence[str]) -> int:
    if text[:3] in names and text.isalpha():
        return names.index(text[:3]) + least
    if not text.isdigit() or not least <= int(text) <= most:
        raise CalendarError(f"{text!r} is not within {least}-{most}")
    return int(text)
