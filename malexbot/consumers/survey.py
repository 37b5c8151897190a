"""What stands in the streams, and how far those who read them are: it only looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from malexbot.config.targets import Redis
from malexbot.consumers.line import asking, connect_as_set
from malexbot.consumers.reader import Entry, Raw, parsed

# How many keys Redis looks at in one go, and entries are read in one.
STEP = 1000
BLOCK_MS = 1000


class GroupState(NamedTuple):
    """How far one group is in one stream."""

    name: str
    consumers: int
    pending: int
    """Given to a consumer, and not acknowledged."""
    unread: int | None
    """Not given to anybody yet; None: this Redis cannot tell."""
    behind_s: float
    """How old the oldest is that it has not done; 0 if it has done all."""
    done_before: str
    """Every entry before that id it has done."""


class StreamState(NamedTuple):
    """One stream, and its groups."""

    name: str
    entries: int
    oldest_s: float | None
    """How old its first entry is; None for an empty one."""
    groups: Sequence[GroupState]


class Survey:
    """Looks at a bus as its settings describe it."""

    def __init__(self, settings: Redis) -> None:
        self._client = connect_as_set(settings)
        self.prefix = settings.prefix

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._client.close()

    def streams(self) -> list[str]:
        """The names of all, with the prefix."""
        pattern = re.sub(r"([\\*?\[\]])", r"\\\1", self.prefix) + "*"
        with asking():
            found = self._client.scan_iter(pattern, count=STEP, _type="STREAM")
            return sorted(name.decode() for name in found)

    def newest(self, streams: Sequence[str], number: int) -> list[Entry]:
        """The newest of each stream, in the order in which they came."""
        found: list[Raw] = []
        with asking():
            for stream in streams:
                answer: Any = self._client.xrevrange(stream, count=number)
                found += _raws(stream, answer)
        found.sort(key=lambda raw: moment(raw.id))
        return [_entry(raw) for raw in found]

    def follow(self, streams: Sequence[str], seen: Sequence[Entry]) -> Iterator[Entry]:
        """What comes after those that were seen, for ever."""
        ends = dict.fromkeys(streams, "0")
        ends |= {entry.stream: entry.id for entry in seen}
        while True:
            with asking():
                wanted: dict[Any, Any] = dict(ends)
                answer: Any = self._client.xread(wanted, count=STEP, block=BLOCK_MS)
            for name, entries in answer or ():
                for raw in _raws(name.decode(), entries):
                    ends[raw.stream] = raw.id
                    yield _entry(raw)

    def state(self, stream: str) -> StreamState:
        with asking():
            first = self._first(stream, "-")
            groups = self._client.xinfo_groups(stream)
            entries = self._client.xlen(stream)
            return StreamState(
                name=stream,
                entries=entries,
                oldest_s=self._age_s(first) if first else None,
                groups=[self._group(stream, group, entries) for group in groups],
            )

    def _group(self, stream: str, told: Mapping[str, Any], entries: int) -> GroupState:
        """What is asked later may be further on, never further back."""
        name = told["name"].decode()
        last = told["last-delivered-id"].decode()
        first = self._first(stream, f"({last}")
        held = self._held(stream, name) if told["pending"] else None
        # After entries were cut off Redis' own count is a guess; this is none.
        unread = min(told["lag"], entries) if told.get("lag") is not None else None
        waiting = [id for id in (first, held) if id]
        return GroupState(
            name=name,
            consumers=told["consumers"],
            pending=told["pending"],
            unread=unread if first else 0,
            behind_s=max(map(self._age_s, waiting), default=0.0),
            done_before=held or after(last),
        )

    def _held(self, stream: str, group: str) -> str | None:
        """The first that was given to somebody who has not acknowledged it."""
        pending: Any = self._client.xpending(stream, group)
        return pending["min"].decode() if pending["min"] else None

    def _first(self, stream: str, since: str) -> str | None:
        """The id of the first entry from there on."""
        found: Any = self._client.xrange(stream, since, "+", count=1)
        return found[0][0].decode() if found else None

    def _age_s(self, entry_id: str) -> float:
        """By the clock that made the id."""
        seconds, micros = self._client.time()
        return max(0.0, seconds + micros / 1e6 - int(entry_id.split("-")[0]) / 1000)


def _raws(stream: str, entries: Sequence[Any]) -> list[Raw]:
    return [Raw(stream, id.decode(), fields) for id, fields in entries]


def moment(id: str) -> tuple[int, int]:
    """By which ids are ordered: the time, and the number within it."""
    time, _, number = id.partition("-")
    return int(time), int(number or 0)


def after(id: str) -> str:
    """The next id that there may be."""
    time, number = moment(id)
    return f"{time}-{number + 1}"


def _entry(raw: Raw) -> Entry:
    """As it is, even if it is no event: who looks wants to see that."""
    fields = {
        name.decode(errors="replace"): value.decode(errors="replace")
        for name, value in (raw.fields or {}).items()
    }
    return parsed(raw) or Entry(raw.stream, raw.id, "", 0, fields)
