"""Holds the order and the age of the answers against those of the questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from malexbot.sandbox.ledger import Entry
from malexbot.storage.database import Database
from malexbot.storage.wire import from_json
from tests.crash.judge import ANSWER

# A question that is older is not answered any more: the default of `max_age`.
MAX_AGE_MS = 600_000
# A lane waits for so long for what fails; two readings of one clock differ.
HELD_S, TICK_S = 30.0, 0.5
# The lane goes on without what has to wait for long, so that has no order any more:
# the jobs that were let go, and were not tried again before that was over. What waited
# for its target since does not tell any more when it began to fail.
LOOSE = f"""
SELECT id, parent, event_id, name FROM jobs WHERE is_loose AND (
  state = 'expired' OR finished_at IS NULL OR finished_at
  > coalesce(failing_since, created_at) + {HELD_S - TICK_S} * interval '1 second'
)
"""
_RUNS = f"""
WITH loose AS ({LOOSE})
SELECT lane, event_id, event, EXISTS (
  SELECT FROM loose WHERE run.id IN (loose.id, loose.parent)
)
FROM jobs run WHERE kind = 'run' AND name = 'response' ORDER BY id
"""
# What is handed on together ends at once, in any order: the streams tell theirs.
_OVERTAKEN = f"""
WITH loose AS ({LOOSE})
SELECT lane, id FROM (
  SELECT lane, id, finished_at,
    lag(finished_at) OVER (PARTITION BY lane ORDER BY id) AS before
  FROM jobs WHERE finished_at IS NOT NULL AND kind <> 'redis'
    AND id NOT IN (SELECT id FROM loose)
) AS jobs WHERE finished_at < before
"""


class Run(NamedTuple):
    """Something that was done in a lane, of what was heard in a certain way."""

    lane: str
    post_id: str
    origin: str
    is_loose: bool


def _run(lane: str, post_id: str, event: str, is_loose: bool) -> Run:
    return Run(lane, post_id, from_json(event).origin, is_loose)


def out_of_order(
    database: Database, asked: Sequence[Entry], said: Sequence[Entry]
) -> Iterator[str]:
    """What came, or was done, before what it should have come after.

    Only within one lane, and among what was heard, or read, in the same way. A clock
    that was set back tells another order than that in which it was said: one page has
    that of the times, and two pages that were read one after the other may have either.
    """
    asked_as = {
        entry.id: (number, entry.create_at) for number, entry in enumerate(asked)
    }
    with database.transaction() as cursor:
        cursor.execute(_RUNS)
        runs = [_run(*row) for row in cursor if row[1] in asked_as]
        cursor.execute(_OVERTAKEN)
        yield from (f"job {id} of {lane} was overtaken" for lane, id in cursor)
    yield from descents("taken", runs, asked_as)
    firm = {run.post_id: run for run in runs if not run.is_loose}
    answered = [firm[post_id] for post_id in _answered(said) if post_id in firm]
    yield from descents("answered", answered, asked_as)


def too_old(asked: Mapping[str, Entry], said: Sequence[Entry]) -> Iterator[str]:
    """What was answered although it was too late for it."""
    for entry in said:
        for match in ANSWER.finditer(entry.text):
            age = entry.create_at - asked[match[1]].create_at
            if age > MAX_AGE_MS:
                yield f"answered after {age} ms: {match[1]}"


def _answered(said: Sequence[Entry]) -> Iterator[str]:
    """The questions in the order of their answers; a long one counts as its first."""
    seen: set[str] = set()
    for entry in said:
        for match in ANSWER.finditer(entry.text):
            if match[1] not in seen:
                seen.add(match[1])
                yield match[1]


def descents(
    what: str, runs: Sequence[Run], asked_as: Mapping[str, tuple[int, int]]
) -> Iterator[str]:
    """What came after something of its lane that was said later."""
    newest: dict[tuple[str, str], str] = {}
    twice = _told_twice(sorted(asked_as.values()))
    for run in runs:
        before = newest.get((run.lane, run.origin), run.post_id)
        number, create_at = asked_as[run.post_id]
        number_before, before_at = asked_as[before]
        is_ambiguous = any(begin <= create_at <= end for begin, end in twice)
        is_later = run.origin != "live" and (create_at >= before_at or is_ambiguous)
        if number < number_before and not is_later:
            yield f"{what} after {before}, in {run.lane}, {run.origin}: {run.post_id}"
        newest[run.lane, run.origin] = run.post_id


def _told_twice(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """From when to when: the times that the server's clock told a second time."""
    spans: list[tuple[int, int]] = []
    newest = 0
    for _, at in places:
        is_within = spans and spans[-1][0] <= at and spans[-1][1] == newest
        if at < newest and not is_within:
            spans.append((at, newest))
        newest = max(newest, at)
    return spans
