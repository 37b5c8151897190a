"""The journal: the one transaction that makes events durable.

It is written on the session that holds the daemon's lock, so who is not the active
daemon writes nothing. Every statement is idempotent: a batch may be written again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from malexbot.events import Event
from malexbot.ports import Entry, Job, Mark, Parcel, Reject, Vanished
from malexbot.storage import offers, posts
from malexbot.storage.erased import Erased, read_erased
from malexbot.storage.failures import DatabaseRefused
from malexbot.storage.leadership import Leadership
from malexbot.storage.marks import LateMarks, find_live, move, move_live
from malexbot.storage.offers import Offers, Seats
from malexbot.storage.people import People
from malexbot.storage.posts import Posts
from malexbot.storage.rejects import keep_rejects
from malexbot.storage.session import Cursor

log = logging.getLogger(__name__)

# To cut the file of an emptied table off takes milliseconds on some disks, an answer
# would wait for it: it is done when so many rows have passed through.
_WORN_ROWS = 2000
_EMPTY = "DELETE FROM incoming; DELETE FROM offers"
_RENEW = "TRUNCATE incoming, offers"

_NO_SEATS = Seats(0, 0.0, 0)

# What the content of one event can make of a batch: PostgreSQL refuses it, or it
# cannot even be written down for it.
_POISON = (DatabaseRefused, ValueError, TypeError, AttributeError)
# But no content makes a table or a right be missing: that is for a person to mend.
_NOT_THE_EVENT = "42"


class DatabaseJournal:
    """Implements ports.Journal; for one thread."""

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership
        self._people = People()
        self._live = LateMarks()
        self._tables_of: int | None = None
        self._passed_rows = 0
        self._erased = Erased()

    def write(
        self,
        parcels: Sequence[Parcel],
        *,
        seats: int = 0,
        lease_s: float = 0.0,
        is_behind: bool = False,
    ) -> list[Job]:
        commit = partial(self._commit, parcels, is_behind=is_behind)
        try:
            return commit(partial(_write, seats=seats, lease_s=lease_s))
        except _POISON as error:
            if _is_ours_to_mend(error):
                raise
            return commit(_write_carefully)

    def _commit(
        self,
        parcels: Sequence[Parcel],
        write: Callable[[Cursor, _Batch], list[Job]],
        *,
        is_behind: bool,
    ) -> list[Job]:
        with self._leadership.transaction() as cursor:
            epoch = self._leadership.epoch
            # Who drains while it is our turn again may have made them already.
            if self._tables_of != epoch:
                cursor.execute(posts.TABLE + offers.TABLE)
            is_worn = self._passed_rows >= _WORN_ROWS
            erased = read_erased(cursor, after=_RENEW if is_worn else _EMPTY)
            if not is_worn and erased.people != self._erased.people:
                # What was erased stays not even in what is left of earlier batches.
                cursor.execute(_RENEW)
            batch = _Batch(parcels, epoch, erased)
            begun = write(cursor, batch)
            live = find_live(batch.written, batch.passed)
            moved = self._live.due(live, batch.marks, is_behind=is_behind)
            move_live(cursor, moved or {})
            named = self._people.write(cursor, batch.entries)
        self._people.remember(named)
        self._live.note(live, moved)
        # one session has one epoch; its tables are there once they are committed
        self._tables_of = epoch
        self._passed_rows = len(batch.entries) + (0 if is_worn else self._passed_rows)
        self._erased = erased
        return begun


class _Batch:
    """Parcels, laid out by what is done with them."""

    def __init__(self, parcels: Sequence[Parcel], epoch: int, erased: Erased) -> None:
        self.epoch = epoch
        self.erased = erased
        self.entries = erased.others(
            [entry for parcel in parcels for entry in parcel.entries]
        )
        self.marks = [mark for parcel in parcels for mark in parcel.marks]
        self.rejects = [reject for parcel in parcels for reject in parcel.rejects]
        self.passed = [parcel.passed for parcel in parcels if parcel.passed]
        self.written: Iterable[Event] = (entry.event for entry in self.entries)
        """Those that PostgreSQL takes; their posts move the marks."""


def _write(cursor: Cursor, batch: _Batch, *, seats: int, lease_s: float) -> list[Job]:
    begun = _merge(
        cursor, batch.entries, batch.marks, Seats(seats, lease_s, batch.epoch)
    )
    _finish(cursor, batch)
    return begun


def _write_carefully(cursor: Cursor, batch: _Batch) -> list[Job]:
    """The same in ever smaller parts, until what is refused is found alone.

    No job is begun on the way: a claim finds them.
    """
    written: list[Event] = []
    parts = [batch.entries]
    while parts:
        part = parts.pop()
        error = _try(cursor, partial(_merge, cursor, part, ()))
        if error is None:
            written += (entry.event for entry in part)
        elif len(part) == 1:
            batch.rejects.append(_reject_event(part[0].event, error))
        else:
            middle = len(part) // 2
            parts += (part[middle:], part[:middle])
    for mark in batch.marks:
        error = _try(cursor, partial(_move, cursor, mark))
        if error is not None:
            batch.rejects.append(_reject_mark(mark, error))
    batch.written = written
    _finish(cursor, batch)
    return []


def _try(cursor: Cursor, do: Callable[[], object]) -> Exception | None:
    """What PostgreSQL or the content itself has against it; then it did not happen."""
    cursor.execute(f"SAVEPOINT part; {_EMPTY}")
    try:
        do()
    except _POISON as error:
        if _is_ours_to_mend(error):
            raise
        cursor.execute("ROLLBACK TO part")
        return error
    cursor.execute("RELEASE part")
    return None


def _merge(
    cursor: Cursor,
    entries: Sequence[Entry],
    marks: Sequence[Mark],
    seats: Seats = _NO_SEATS,
) -> list[Job]:
    kept, offered = Posts(), Offers()
    for entry in entries:
        kept.add(entry)
        offered.add(entry)
    for mark in marks:
        if isinstance(mark, Vanished):
            kept.vanish(mark)
    kept.merge(cursor)
    begun = offered.merge(cursor, seats)
    move(cursor, marks)
    return begun


def _move(cursor: Cursor, mark: Mark) -> None:
    _merge(cursor, (), (mark,))


def _finish(cursor: Cursor, batch: _Batch) -> None:
    keep_rejects(cursor, batch.erased.foreign(batch.rejects))


def _reject_event(event: Event, error: Exception) -> Reject:
    log.warning("event %s goes to the rejects: %s", event.event_id, error)
    return Reject(event.source, event.raw, f"{event.event_id}: {error}")


def _reject_mark(mark: Mark, error: Exception) -> Reject:
    log.error("a mark cannot be moved, its channel is read again: %s", error)
    told = repr(mark).encode("utf-8", "backslashreplace")
    return Reject(mark.source, told, str(error))


def _is_ours_to_mend(error: Exception) -> bool:
    """Yes: a table or a right is missing; no event is to blame for that."""
    state = getattr(error, "sqlstate", None) or ""
    return str(state).startswith(_NOT_THE_EVENT)
