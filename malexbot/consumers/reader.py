"""Reads events from the streams, for the services on the other side.

    with Reader(url, group="moderation", consumer="one", streams=["command"]) as reader:
        for entry in reader:
            handle(entry.event)
            reader.ack(entry)

What is not acknowledged comes again: to the same consumer when it starts, to anyone of
its group once it lay for `stale_s`, which has to be more than twice what the longest
one takes to handle. What comes too often is laid aside in the stream `<stream>:dead`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson
import redis

from malexbot.consumers.away import Away
from malexbot.consumers.line import TIME_OUT_S, Gone, asking, connect
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

BATCH = 32
# How long one question waits for an entry; a stop is seen after that at the latest.
# Whoever gives up sooner than Redis answers loses what is on its way.
BLOCK_S = 1.0
STALE_S = 60.0
LONGEST_WAIT_S = 10.0
# Whoever is given it so often and never acknowledges it dies of it.
MOST_DELIVERIES = 10
# What is laid aside is for people to look at, not to fill Redis with.
MOST_DEAD = 10_000

Alarm = Callable[[str], object]
Fields = Mapping[bytes, bytes]


class Entry(NamedTuple):
    """An event as it was handed over, and where it stands."""

    stream: str
    id: str
    """The entry's; the event's own is `event_id`."""
    event_id: str
    schema: int
    event: Mapping[str, Any]


class Raw(NamedTuple):
    """An entry as it stands in Redis; its fields are gone if it was cut off."""

    stream: str
    id: str
    fields: Fields | None


def ring(text: str) -> None:
    """The alarm of a service that has no other."""
    log.error("%s", text)


class Reader:
    """An iterator over the entries of some streams, as one consumer of a group.

    It outlives outages: it waits for a Redis that is away, and where the group is gone
    since Redis was flushed it makes it anew, raises the alarm and reads on. The same
    consumer name after a restart gets first what it had not acknowledged.
    """

    def __init__(
        self,
        url: str,
        *,
        group: str,
        consumer: str,
        streams: Sequence[str],
        stale_s: float = STALE_S,
        alarm: Alarm = ring,
    ) -> None:
        """The URL: redis://user:password@host:port/number, or rediss:// for TLS."""
        self._client = connect(url)
        self._block_ms = _block_ms(self._client)
        self._group = group
        self._consumer = consumer
        self._streams = tuple(streams)
        self._stale_s = stale_s
        self._alarm = alarm
        self._stop = Stop()
        self._was_made = False
        self._has_groups = False
        self._unread: dict[str, str] = {}
        """How far what was given to us before has been read, where there is more."""
        self._out: set[tuple[str, str]] = set()
        """What was handed out and is not acknowledged."""
        self._until_claim = Deadline(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def stop(self) -> None:
        """End the iteration soon; from any thread."""
        self._stop.set()

    def close(self) -> None:
        self.stop()
        self._client.close()

    def ack(self, entry: Entry) -> None:
        """It is done with. Raises Transient; then it may come again."""
        with asking():
            self._client.xack(entry.stream, self._group, entry.id)
        self._out.discard((entry.stream, entry.id))

    def __iter__(self) -> Iterator[Entry]:
        # Whoever ended a loop early was given more than it looked at.
        self._read_own()
        backoff = Backoff(first_s=0.2, longest_s=LONGEST_WAIT_S)
        while not self._stop.is_set:
            held = Deadline(self._stale_s / 2)
            try:
                entries = self._next()
                if backoff.failures:
                    log.info("Redis is back")
                    backoff.reset()
            except (Away, Gone) as error:
                self._note(error, is_new=not backoff.failures)
                self._stop.wait(backoff.next_s())
                continue
            yield from self._handed_out(entries, held)

    def _handed_out(self, entries: Sequence[Entry], held: Deadline) -> Iterator[Entry]:
        """What may be stale for others before it is reached is read anew instead."""
        for entry in entries:
            if self._stop.is_set:
                break
            if held.is_over:
                self._read_own()
                break
            self._out.add((entry.stream, entry.id))
            yield entry

    def _note(self, error: Exception, *, is_new: bool) -> None:
        if is_new:
            log.warning("%s: it is tried again", error)
        if isinstance(error, Gone):
            self._has_groups = False
        # What was on its way when the line broke is ours by now, and unread.
        self._read_own()

    def _read_own(self) -> None:
        self._unread = dict.fromkeys(self._streams, "0")

    def _next(self) -> list[Entry]:
        with asking():
            if not self._has_groups:
                self._make_groups()
            if self._unread:
                return self._good(self._given_before(), are_old=True)
            if self._until_claim.is_over:
                self._until_claim = Deadline(self._stale_s / 2)
                return self._good(self._claimed(), are_old=True)
            return self._good(self._new(), are_old=False)

    def _make_groups(self) -> None:
        made = [stream for stream in self._streams if self._make_group(stream)]
        if made and self._was_made:
            self._alarm(
                f"the group {self._group} of {', '.join(made)} was gone: Redis was"
                " flushed or has lost what it held. It is made anew, and later events"
                " are read"
            )
        self._has_groups = self._was_made = True

    def _make_group(self, stream: str) -> bool:
        """No: it is there."""
        try:
            self._client.xgroup_create(stream, self._group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        return True

    def _given_before(self) -> list[Raw]:
        """What was given to this consumer, and is not acknowledged."""
        found = self._read(self._unread, block_ms=None)
        ends = {raw.stream: raw.id for raw in found}
        self._unread = {s: ends[s] for s in self._unread if s in ends}
        return [raw for raw in found if (raw.stream, raw.id) not in self._out]

    def _claimed(self) -> list[Raw]:
        """What somebody of the group, we too, was given long ago."""
        found = []
        for stream in self._streams:
            _, entries, *cut_off = self._client.xautoclaim(
                stream,
                self._group,
                self._consumer,
                min_idle_time=round(self._stale_s * 1000),
                count=BATCH,
            )
            found += [Raw(stream, id.decode(), f) for id, f in entries if id]
            if (None, None) in entries:
                # Before 7.0 what was cut off is ours by now, and has no name here.
                self._read_own()
            if cut_off and cut_off[0]:
                self._tell_cut_off(stream, len(cut_off[0]))
            if len(entries) >= BATCH:
                self._until_claim = Deadline(0)
        return found

    def _new(self) -> list[Raw]:
        wanted = dict.fromkeys(self._streams, ">")
        return self._read(wanted, block_ms=self._block_ms)

    def _read(self, wanted: Mapping[str, str], block_ms: int | None) -> list[Raw]:
        streams: dict[Any, Any] = dict(wanted)
        answer: Any = self._client.xreadgroup(
            self._group, self._consumer, streams, count=BATCH, block=block_ms
        )
        return [
            Raw(stream.decode(), id.decode(), fields)
            for stream, entries in answer or ()
            for id, fields in entries
        ]

    def _good(self, found: Sequence[Raw], *, are_old: bool) -> list[Entry]:
        """Those that can be handed out; the others are laid aside."""
        spent = self._spent(found) if are_old else ()
        entries = []
        for raw in found:
            if not raw.fields:
                self._client.xack(raw.stream, self._group, raw.id)
                self._tell_cut_off(raw.stream, 1)
            elif raw in spent:
                self._lay_aside(raw, "nobody who was given it acknowledged it")
            elif entry := parsed(raw):
                entries.append(entry)
            else:
                self._lay_aside(raw, "it is no event")
        return entries

    def _spent(self, found: Sequence[Raw]) -> list[Raw]:
        """Those that were given out too often; asked in one go."""
        with self._client.pipeline(transaction=False) as questions:
            for raw in found:
                questions.xpending_range(
                    raw.stream, self._group, min=raw.id, max=raw.id, count=1
                )
            answers = questions.execute()
        return [
            raw
            for raw, told in zip(found, answers, strict=True)
            if told and told[0]["times_delivered"] > MOST_DELIVERIES
        ]

    def _lay_aside(self, raw: Raw, reason: str) -> None:
        fields: dict[Any, Any] = dict(raw.fields or {})
        fields |= {"reason": reason, "entry": raw.id, "group": self._group}
        with self._client.pipeline(transaction=True) as both:
            both.xadd(f"{raw.stream}:dead", fields, maxlen=MOST_DEAD)
            both.xack(raw.stream, self._group, raw.id)
            both.execute()
        self._alarm(f"entry {raw.id} of {raw.stream} is laid aside: {reason}")

    def _tell_cut_off(self, stream: str, number: int) -> None:
        self._alarm(
            f"{number} of {stream} cut off before they were done with: the stream"
            " holds no more, or somebody deleted from it"
        )


def _block_ms(client: redis.Redis) -> int:
    """Half of what the client waits for an answer at most: the URL may say that."""
    time_out_s = client.get_connection_kwargs()["socket_timeout"] or TIME_OUT_S
    return max(1, round(min(BLOCK_S, time_out_s / 2) * 1000))


def parsed(raw: Raw) -> Entry | None:
    """None: that is no event of ours."""
    fields = raw.fields or {}
    try:
        event = orjson.loads(fields[b"event"])
        event_id, schema = fields[b"id"].decode(), int(fields[b"schema"])
    except (KeyError, ValueError):
        return None
    if not isinstance(event, dict):
        return None
    return Entry(raw.stream, raw.id, event_id, schema, event)
