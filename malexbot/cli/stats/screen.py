"""The stats for a person: sums, bars, and when people write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from malexbot.cli.export.book import Book, readable_size
from malexbot.cli.plots import bar, columns, fitted, shade, shown_width, squeezed
from malexbot.cli.report import clean
from malexbot.cli.stats.answer import ranked
from malexbot.cli.stats.times import Times
from malexbot.storage.stats import FileSums, Stats

MOST_SHOWN = 8
# Of the plot of days, and of a name beside a bar.
HEIGHT = 4
LONGEST_NAME = 24
# Wider bars are hard to compare.
WIDEST = 100
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Row(NamedTuple):
    """A name, and how much there is of it."""

    name: str
    posts: int


class Screen:
    """Lines that fit into a width."""

    def __init__(self, stats: Stats, times: Times, *, server: str, width: int) -> None:
        self._stats = stats
        self._times = times
        self._width = max(40, min(width, WIDEST))
        self._book = Book(stats.shares, stats.names, server)

    def lines(self, by: str | None = None) -> Iterator[str]:
        """An overview, or all that there is of one kind."""
        yield from self._sums()
        if not self._stats.whole.posts:
            return
        yield ""
        if by == "channel":
            yield from self._bars(self._channels())
        elif by == "person":
            yield from self._bars(self._people())
        elif by == "day":
            yield from self._bars(self._days())
        elif by == "hour":
            hours = enumerate(self._times.hours)
            yield from self._bars([Row(f"{hour:02}:00", n) for hour, n in hours])
            yield ""
            yield from self._week()
        else:
            yield from self._overview()

    def _overview(self) -> Iterator[str]:
        for title, rows in (("Channels", self._channels()), ("People", self._people())):
            if len(rows) < 2:
                continue
            yield _bold(title)
            yield from self._bars(rows[:MOST_SHOWN])
            if len(rows) > MOST_SHOWN:
                word = "channel" if title == "Channels" else "person"
                yield _dim(f"  {len(rows) - MOST_SHOWN:,} more: --by {word}")
            yield ""
        yield from self._plot()
        yield from self._week()

    def _sums(self) -> Iterator[str]:
        stats, whole = self._stats, self._stats.whole
        if not whole.posts:
            yield "No post of that kind is kept."
            return
        posts = _counted(whole.posts, "post", "posts")
        people = _counted(len(stats.people), "person", "people")
        channels = _counted(len(stats.channels), "channel", "channels")
        yield _bold(f"{posts} by {people} in {channels}")
        yield self._book.span
        told = [_counted(whole.replies, "reply", "replies")]
        told += [f"{whole.edited:,} edited", f"{whole.deleted:,} deleted"]
        if stats.notices:
            notices = _counted(stats.notices, "notice", "notices")
            told.append(f"beside {notices} of the server")
        yield ", ".join(told)
        if stats.files.files:
            yield _files(stats.files)

    def _channels(self) -> list[Row]:
        book = self._book
        return [Row(clean(book.channel(s)), s.posts) for s in self._stats.shares]

    def _people(self) -> list[Row]:
        return [
            Row(clean(self._book.person(id_)), count.posts)
            for id_, count in ranked(self._stats.people)
        ]

    def _days(self) -> list[Row]:
        return [
            Row(f"{day:%Y-%m-%d} {DAYS[day.weekday()]}", posts)
            for day, posts in self._times.days.items()
        ]

    def _bars(self, rows: Sequence[Row]) -> Iterator[str]:
        """A name, a bar, the number and its share."""
        longest = max(shown_width(row.name) for row in rows)
        name_width = min(longest, LONGEST_NAME)
        most = max(row.posts for row in rows)
        number_width = len(f"{most:,}")
        room = self._width - name_width - number_width - 11
        whole = self._stats.whole.posts
        for row in rows:
            share = f"{100 * row.posts / whole:.0f}"
            drawn = bar(row.posts, most, room)
            yield (
                f"  {fitted(row.name, name_width)}  {_colour(fitted(drawn, room))}"
                f" {row.posts:>{number_width},} {_dim(f'{share:>3} %')}"
            ).rstrip()

    def _plot(self) -> Iterator[str]:
        """The days side by side, as many together as there must be."""
        days = list(self._times.days.items())
        if len(days) < 2:
            return
        room = self._width - 4
        sums = squeezed([posts for _, posts in days], room)
        each = -(-len(days) // len(sums))
        if len(sums) * 2 <= room:
            wide = min(8, room // len(sums))
            sums = [value for value in sums for _ in range(wide)]
        span = "a day" if each == 1 else f"in {each} days"
        yield f"{_bold('Days')}  {_dim(f'at most {max(sums):,} {span}')}"
        for line in columns(sums, HEIGHT):
            yield f"  {_colour(line.rstrip())}"
        first, last = (f"{days[at][0]:%Y-%m-%d}" for at in (0, -1))
        gap = " " * max(2, len(sums) - len(first) - len(last))
        yield _dim(f"  {first}{gap}{last}")
        yield ""

    def _week(self) -> Iterator[str]:
        """The hours of a week, the darker the more is said."""
        yield _bold("Hours of the week")
        most = max(max(hours) for hours in self._times.week)
        size = 3 if self._width >= 80 else 1
        for name, hours in zip(DAYS, self._times.week, strict=True):
            shown = "".join(shade(posts, most) * size for posts in hours)
            yield f"  {name}  {_colour(shown)}"
        marks = "".join(f"{hour:<{6 * size}}" for hour in range(0, 24, 6))
        yield _dim(f"       {marks}".rstrip())


def _files(sums: FileSums) -> str:
    told = _counted(sums.files, "file", "files")
    told += f", {readable_size(sums.bytes)}"
    if not sums.kept:
        return told
    kept = "all kept" if sums.kept == sums.files else f"{sums.kept:,} of them kept"
    return f"{told}; {kept} here, {readable_size(sums.kept_bytes)}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _dim(text: str) -> str:
    return click.style(text, dim=True)


def _colour(text: str) -> str:
    return click.style(text, fg="cyan")
