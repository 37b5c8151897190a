"""Counts by quarters of an hour, as days and hours of the zone of who reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from malexbot.storage.stats import SLOT_MS

HOURS, WEEK = 24, 7


class Times:
    """How many posts on each day, and in each hour of the week."""

    def __init__(self, slots: Iterable[tuple[int, int]]) -> None:
        by_day: Counter[date] = Counter()
        self.week = [[0] * HOURS for _ in range(WEEK)]
        """By weekday, from Monday on, and hour."""
        for slot, posts in slots:
            at = datetime.fromtimestamp(slot * SLOT_MS / 1000)
            by_day[at.date()] += posts
            self.week[at.weekday()][at.hour] += posts
        self.days = _all_days(by_day)
        """From the first to the last, those without a post too."""

    @property
    def hours(self) -> list[int]:
        return [sum(day[hour] for day in self.week) for hour in range(HOURS)]


def _all_days(by_day: Counter[date]) -> dict[date, int]:
    if not by_day:
        return {}
    first, last = min(by_day), max(by_day)
    count = (last - first).days + 1
    days = (first + timedelta(days=number) for number in range(count))
    return {day: by_day[day] for day in days}
