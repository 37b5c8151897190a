"""Holds what was handed on by Redis against what was said, and what VK told."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from malexbot.bus import decode
from malexbot.sandbox.ledger import Entry
from malexbot.storage.database import Database
from tests.crash import streams
from tests.crash.streams import Streams
from tests.crash.traffic import KEEP, LATE
from tests.faults.ground import Ground
from tests.faults.order import LOOSE, Run, descents
from tests.faults.routes import BUTTON, COMMAND, GAP, NAMES, OF_VK, SAID

# Who pressed a button waits for so long, by a clock that VK tells in whole seconds.
PRESSED_S, TICK_S = 50.0, 1.5
_EXPIRED = """
SELECT run.event_id, extract(epoch FROM min(jobs.finished_at))::float8
FROM jobs JOIN jobs run ON run.id = jobs.parent
WHERE run.name = 'route' AND jobs.state = 'expired' GROUP BY run.event_id
"""
_LOOSE = f"""
WITH loose AS ({LOOSE})
SELECT event_id FROM loose WHERE name = 'route'
UNION
SELECT run.event_id FROM loose JOIN jobs run ON run.id = loose.parent
WHERE run.name = 'route'
"""
_REJECTS = "SELECT coalesce(sum(times), 0) FROM rejects WHERE source = 'vk'"


class Routed(NamedTuple):
    """How much was handed on, and what is wrong with it."""

    events: int
    expired: int
    complaints: list[str]


def judge(ground: Ground, database: Database) -> Routed:
    """All of it, once it has come to rest."""
    found = streams.read(ground.redis, NAMES)
    expired = {id: at for id, at in _ask(database, _EXPIRED)}
    loose = {id for id, in _ask(database, _LOOSE)}
    updates: Any = ground.vk.ledger.updates()
    ((rejects,),) = _ask(database, _REJECTS)
    complaints = [
        *_twice(found),
        *_of_mattermost(ground, found),
        *_as_said(ground, found, loose),
        *_of_vk(ground, found, expired, loose),
        *malformed(updates, ground.vk.ledger.declared_lost(), rejects),
    ]
    return Routed(sum(map(len, found.values())), len(expired), complaints)


def _twice(found: Streams) -> Iterator[str]:
    yield from (f"routed twice: {id}" for id in streams.doubled(found))


def _of_mattermost(ground: Ground, found: Streams) -> Iterator[str]:
    """Whoever changes or deletes what he said may do so before anybody sees it."""
    entries = {entry.id: entry for entry in ground.server.ledger.entries()}
    there = {entry.id for entry in found[SAID]}
    for entry in entries.values():
        if _is_due(entry, ground) and entry.id not in there:
            yield f"never routed: {entry.id} {entry.texts}"
    for id in there:
        if entries[id].user_id == ground.town.bot:
            yield f"routed for nothing: {id} is of the bot itself"


def _as_said(ground: Ground, found: Streams, loose: Collection[str]) -> Iterator[str]:
    """In the order in which somebody said it, in each channel.

    What was not for us for a while comes when somebody reads that it is; and what
    appeared late, among what was said before it, when somebody looks back.
    """
    said = ground.server.ledger.said(ground.town.alice)
    numbers = {
        entry.id: (number, entry.create_at)
        for number, entry in enumerate(said)
        if all(KEEP in text for text in entry.texts) and LATE not in entry.texts[0]
    }
    runs = [
        Run(entry.lane, entry.id, entry.origin, False)
        for entry in found[SAID]
        if entry.id in numbers and entry.id not in loose
    ]
    yield from descents("routed out of order", runs, numbers)


def _is_due(entry: Entry, ground: Ground) -> bool:
    is_gone = entry.delete_at or entry.is_gone
    is_ours = entry.user_id == ground.town.bot
    return not is_gone and not is_ours and all(KEEP in text for text in entry.texts)


def _of_vk(
    ground: Ground,
    found: Streams,
    expired: Mapping[str, float],
    loose: Collection[str],
) -> Iterator[str]:
    """What VK declared lost may be there or not; whoever reads has to know of that."""
    updates: Any = ground.vk.ledger.updates()
    told = [each for each in updates if each["ts"] and not _is_of_bot(each)]
    places = {each["event_id"]: _stream(each) for each in told}
    numbers = {each["event_id"]: each["ts"] for each in told}
    late = {*too_late(told, expired, ground.vk.ledger.polled())}
    declared, gaps = {*ground.vk.ledger.declared_lost()}, _gaps(ground)
    for id in streams.lost(places, found, late):
        is_told_of = any(after < numbers[id] <= until for after, until in gaps)
        if id not in declared or not is_told_of:
            yield (
                f"never routed: {id}, declared lost: {id in declared}, {is_told_of},"
                f" expired: {id in expired}"
            )
    for id in streams.disordered(places, found, loose):
        yield f"routed out of order: {id}"
    there = {entry.id for name in OF_VK.values() for entry in found[name]}
    for each in filter(_is_of_bot, updates):
        if each["event_id"] in there:
            yield f"routed for nothing: {each['event_id']} is of the bot itself"


def too_late(
    told: Sequence[Mapping[str, Any]],
    expired: Mapping[str, float],
    polled: Sequence[int],
) -> Iterator[str]:
    """The presses that may have waited for so long until they were given up.

    VK does not tell when somebody pressed: it may have been at once after what was
    told before, in the answer to another poll.
    """
    numbers = [each["ts"] for each in told]
    for each in told:
        given_up_at = expired.get(each["event_id"])
        if given_up_at is None or _stream(each) != BUTTON:
            continue
        after = next((ts for ts in reversed(polled) if ts < each["ts"]), 0)
        before = told[max(0, bisect_right(numbers, after) - 1)]
        since = min(each["at"], before["at"])
        if given_up_at - since >= PRESSED_S - TICK_S:
            yield each["event_id"]


def _stream(update: Mapping[str, Any]) -> str:
    is_new = update["type"] == "message_new"
    if is_new and update["object"]["message"]["text"].startswith("/"):
        return COMMAND
    return OF_VK[update["type"]]


def _is_of_bot(update: Mapping[str, Any]) -> bool:
    return bool(update["object"].get("from_id", 0) < 0)


def _gaps(ground: Ground) -> list[tuple[int, int]]:
    """From where to where, as whoever reads the streams is told."""
    with ground.redis.client() as client:
        events = [decode(fields["event"]) for _, fields in client.xrange(GAP)]
    return [(int(e.data["ts_from"]), int(e.data["ts_to"])) for e in events]


def malformed(
    updates: Iterable[Mapping[str, Any]], declared: Collection[str], kept: int
) -> Iterator[str]:
    """Each that came is set aside once; those that VK has lost never came."""
    told = {each["event_id"] for each in updates if each["spoilt_ts"]}
    lost = told.intersection(declared)
    if kept > len(told):
        yield f"doubled: {len(told)} malformed updates are kept {kept} times"
    if kept < len(told) - len(lost):
        yield f"lost: {kept} of {len(told)} malformed updates, {len(lost)} by VK"


def _ask(database: Database, statement: str) -> Sequence[tuple[Any, ...]]:
    with database.transaction() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
