"""Holds what stands in the streams of Redis against what was truly told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from malexbot.bus import decode
from tests.support.redis import RedisServer


class Entry(NamedTuple):
    """One entry: which event it is, what it keeps its order with, how it was heard."""

    id: str
    lane: str
    origin: str


Streams = Mapping[str, Sequence[Entry]]


def read(redis: RedisServer, names: Iterable[str]) -> Streams:
    """All that they hold."""
    with redis.client() as client:
        return {
            name: [_entry(fields) for _, fields in client.xrange(name)]
            for name in names
        }


def lost(
    told: Mapping[str, str], streams: Streams, excused: Collection[str] = ()
) -> Iterator[str]:
    """The ids that do not stand where they belong; `told` says where that is."""
    there = {name: {entry.id for entry in streams[name]} for name in streams}
    for id, name in told.items():
        if id not in excused and id not in there[name]:
            yield id


def doubled(streams: Streams) -> Iterator[str]:
    """The ids that stand somewhere twice, or in two places."""
    counts = Counter(entry.id for entries in streams.values() for entry in entries)
    return (id for id, count in counts.items() if count > 1)


def disordered(
    told: Iterable[str], streams: Streams, excused: Collection[str] = ()
) -> Iterator[str]:
    """The ids that stand behind something of their lane that was told later."""
    numbers = {id: number for number, id in enumerate(told)}
    for entries in streams.values():
        newest: dict[str, int] = {}
        for id, lane, _ in entries:
            if id in excused or id not in numbers:
                continue
            if numbers[id] < newest.get(lane, -1):
                yield id
            newest[lane] = max(numbers[id], newest.get(lane, -1))


def _entry(fields: Mapping[str, str]) -> Entry:
    event = decode(fields["event"])
    return Entry(fields["id"], event.lane, event.origin)
