"""How far channels and feeds were read: the marks move with what they stand for.

They move forward only, so that late and repeated ones do no harm; backward they are
set where the server's clock was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import orjson

from malexbot.events import Event, Id
from malexbot.ports import (
    CaughtUp,
    EditsRead,
    Live,
    Looked,
    Lost,
    Mark,
    Polled,
    ReadAnew,
    Vanished,
    WalkedBack,
)
from malexbot.storage.session import Cursor
from malexbot.storage.statement import Statement

Terms = tuple[object, ...] | dict[str, object]
Newest = dict[tuple[str, Id, int], tuple[int, str]]

# So long the marks of live posts may lag while more waits than is written.
LATEST_S = 5.0

_UPSERT = """
INSERT INTO channels AS c (source, channel_id, {columns}) VALUES (%s, %s, {values})
ON CONFLICT (source, channel_id) DO UPDATE SET {settings}
"""


def _upsert(columns: str, settings: str) -> str:
    values = ", ".join(["%s"] * len(columns.split(", ")))
    return _UPSERT.format(columns=columns, values=values, settings=settings)


_CAUGHT_UP = _upsert(
    "mark_id, mark_at, filled_for",
    """
    mark_id = CASE WHEN excluded.mark_at > c.mark_at OR c.mark_id = ''
      THEN excluded.mark_id ELSE c.mark_id END,
    mark_at = greatest(c.mark_at, excluded.mark_at),
    filled_for = greatest(c.filled_for, excluded.filled_for)
    """,
)
_WALKED_BACK = _upsert(
    "history_id, history_at, is_history_done",
    """
    history_id = CASE WHEN excluded.history_at <= c.history_at OR c.history_id = ''
      THEN excluded.history_id ELSE c.history_id END,
    history_at = CASE WHEN excluded.history_at <= c.history_at OR c.history_id = ''
      THEN excluded.history_at ELSE c.history_at END,
    is_history_done = c.is_history_done OR excluded.is_history_done
    """,
)
_EDITS_READ = _upsert(
    "edits_until, edits_walk_id",
    """
    edits_until = coalesce(nullif(excluded.edits_until, 0), c.edits_until),
    edits_walk_id = excluded.edits_walk_id
    """,
)
_READ_ANEW = _upsert(
    "mark_id, mark_at, filled_for, edits_until, edits_walk_id",
    """
    mark_id = excluded.mark_id, mark_at = excluded.mark_at,
    filled_for = greatest(c.filled_for, excluded.filled_for),
    edits_until = excluded.edits_until, edits_walk_id = excluded.edits_walk_id,
    history_id = '', history_at = 0, is_history_done = false
    """,
)
_LOOKED = _upsert(
    "messages, last_post_at",
    "messages = excluded.messages, last_post_at = excluded.last_post_at",
)
_POLLED = """
INSERT INTO feeds (source, feed, ts, answered_at)
VALUES (%s, %s, %s, clock_timestamp() - %s * interval '1 second')
ON CONFLICT (source, feed) DO UPDATE
SET ts = excluded.ts, answered_at = excluded.answered_at
"""
# Nobody can fill it, so it is closed as it is told: it began when the feed last told
# anything. A batch that is written again does not tell it again.
_LOST = """
INSERT INTO gaps (source, channel_id, kind, reason, opened_at, closed_at)
SELECT %(source)s, %(feed)s, 'lost', %(reason)s,
  coalesce((
    SELECT answered_at FROM feeds WHERE source = %(source)s AND feed = %(feed)s
  ), clock_timestamp()),
  clock_timestamp()
WHERE NOT EXISTS (
  SELECT FROM gaps
  WHERE source = %(source)s AND channel_id = %(feed)s AND reason = %(reason)s
)
"""
_LIVE = Statement(
    "move_live_marks",
    """
UPDATE channels c SET mark_id = live.post_id, mark_at = live.create_at
FROM json_to_recordset(%(live)s::json) AS live (
  source text, channel_id text, connection bigint, post_id text, create_at bigint
)
WHERE c.source = live.source AND c.channel_id = live.channel_id
  AND c.filled_for = live.connection AND c.mark_at < live.create_at
""",
)


def move(cursor: Cursor, marks: Iterable[Mark]) -> None:
    """Move marks of channels and feeds, be they known or not; in one round trip."""
    told = [
        cursor.mogrify(*statement) for statement in map(_statement, marks) if statement
    ]
    if told:
        cursor.execute(b";".join(told))


def _statement(mark: Mark) -> tuple[str, Terms] | None:
    if isinstance(mark, Polled | Lost):
        return _of_feed(mark)
    where = (mark.source, mark.channel_id)
    match mark:
        case CaughtUp():
            at = (mark.post_id, mark.create_at, mark.filled_for or 0)
            return _CAUGHT_UP, where + at
        case WalkedBack():
            back = (mark.post_id, mark.create_at, mark.is_done)
            return _WALKED_BACK, where + back
        case EditsRead():
            return _EDITS_READ, (*where, mark.until, mark.walk_post_id)
        case ReadAnew():
            anew = (mark.post_id, mark.create_at, mark.filled_for or 0)
            edits = (mark.edits_until, mark.edits_walk_id)
            return _READ_ANEW, (*where, *anew, *edits)
        case Looked():
            return _LOOKED, (*where, mark.messages, mark.last_post_at)
        case Vanished():
            return None  # it moves nothing: the posts are marked with the others


def _of_feed(mark: Polled | Lost) -> tuple[str, Terms]:
    if isinstance(mark, Lost):
        return _LOST, mark._asdict()
    ago_s = time.monotonic() - mark.answered_at
    return _POLLED, (mark.source, mark.feed, mark.ts, ago_s)


def find_live(events: Iterable[Event], passed: Iterable[Live] = ()) -> Live:
    """The newest live post of each channel and connection.

    What claims to be of the future occurred now: beyond that nothing was read.
    """
    newest: Newest = {}
    for live in passed:
        for key, place in live.items():
            newest[key] = max(place, newest.get(key, place))
    for event in events:
        post = event.post
        if post is not None and event.name == "posted" and event.origin == "live":
            key = (event.source, post.channel_id, event.connection)
            found, at = newest.get(key), min(post.create_at, event.occurred_at)
            if found is None or at > found[0]:
                newest[key] = (at, post.id)
    return newest


class LateMarks:
    """Marks of live posts that are moved a little later; for one thread.

    While there is no end of what comes in, a row of each channel in each batch takes
    a quarter of its time. A mark that lags costs a walk some posts that it knows.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._late: Newest = {}
        self._moved_at = clock()

    def due(self, live: Live, marks: Iterable[Mark], *, is_behind: bool) -> Live | None:
        """What is to be moved now, after `marks`; None if it has time."""
        reset = {
            (mark.source, mark.channel_id)
            for mark in marks
            if isinstance(mark, ReadAnew)
        }
        is_early = self._clock() < self._moved_at + LATEST_S
        if is_behind and is_early and not reset:
            return None
        moved = {key: at for key, at in self._late.items() if key[:2] not in reset}
        return {**moved, **live}

    def note(self, live: Live, moved: Live | None) -> None:
        """That is durable, and it was moved, or not."""
        if moved is not None or not self._late:
            self._moved_at = self._clock()
        if moved is None:
            # The last one is no newer than the newest: a mark may be too low.
            self._late.update(live)
        else:
            self._late.clear()


def move_live(cursor: Cursor, marks: Live) -> None:
    """Raise the mark only where the channel is filled for that connection.

    After the marks of the walks: what came live on the connection that a walk has
    just filled the channel for is archived, and so is all before it.
    """
    if marks:
        cursor.run(_LIVE, {"live": _rows(marks)})


def _rows(marks: Live) -> str:
    """As JSON: one constant, where arrays are a thousand for the server to parse."""
    rows = [
        {
            "source": source,
            "channel_id": channel_id,
            "connection": connection,
            "post_id": post_id,
            "create_at": at,
        }
        for (source, channel_id, connection), (at, post_id) in marks.items()
    ]
    return orjson.dumps(rows).decode()
