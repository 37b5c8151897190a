"""The stats as an object for a program."""

from __future__ import annotations

from typing import Any

from malexbot.cli.export.book import Book
from malexbot.cli.stats.times import Times
from malexbot.storage.stats import Count, Stats


def answer(stats: Stats, times: Times) -> dict[str, Any]:
    """Times are in milliseconds since 1970, days and hours in the local zone."""
    book = Book(stats.shares, stats.names)
    return {
        **_count(stats.whole),
        "notices": stats.notices,
        "files": stats.files._asdict(),
        "channels": [
            {
                "id": share.channel_id,
                "name": book.channel(share),
                **_count(stats.channels[share.channel_id]),
            }
            for share in stats.shares
        ],
        "people": [
            {"id": id_, "name": stats.names.get(id_, ""), **_count(count)}
            for id_, count in ranked(stats.people)
        ],
        "days": {day.isoformat(): posts for day, posts in times.days.items()},
        "hours": times.hours,
        "week": times.week,
    }


def ranked(counts: dict[str, Count]) -> list[tuple[str, Count]]:
    """Who or what has the most posts first."""
    return sorted(counts.items(), key=lambda item: (-item[1].posts, item[0]))


def _count(count: Count) -> dict[str, int | None]:
    told: dict[str, int | None] = count._asdict()
    if not count.posts:
        told["first_at"] = told["last_at"] = None
    return told
