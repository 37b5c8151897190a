"""One pass over all channels: new posts first, then edits, then history.

The bookmarks say what there is to do, so a pass that is cut off, by a failure or by
our own death, is taken up by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from malexbot.errors import MalexbotError
from malexbot.messengers.mattermost.borders import NOWHERE, Room
from malexbot.messengers.mattermost.crew import each
from malexbot.messengers.mattermost.failures import Unauthorised
from malexbot.messengers.mattermost.means import Means, Memory, Order
from malexbot.messengers.mattermost.rooms import View
from malexbot.messengers.mattermost.walks import OVERLAP_MS, SOURCE, Step, followed
from malexbot.ports import CaughtUp, EditsRead, Mark, ReadAnew
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# What is missing in a channel, in the report.
POSTS, EDITS = "posts", "edits"


class Sweep:
    """One pass; `is_called` says yes when a new one should begin soon."""

    def __init__(
        self,
        *,
        means: Means,
        memory: Memory,
        number: int,
        reason: str,
        stop: Stop,
        is_called: Callable[[], bool],
    ) -> None:
        self._means = means
        self._memory = memory
        self._number = number
        self._reason = reason
        self._stop = stop
        self._is_called = is_called
        self._rooms: dict[str, Room] = {}
        self.failed: dict[str, MalexbotError] = {}
        """Why some channels could not be read to the end."""
        self.is_unfinished = False

    def over(self, view: View) -> None:
        """Read what is to be read; raises what nothing can be read with."""
        gone = [room for room in view.gone if not self._is_gone_read(room)]
        self._rooms = {room.id: room for room in (*view.rooms, *gone)}
        changed = [room for room in view.rooms if self._is_due(room)]
        due = {room.id for room in (*changed, *gone)}
        self._settle([room for room in view.rooms if room.id not in due])
        self._tell_gaps((*changed, *gone))
        self._each("new posts", (*changed, *gone), self._catch_up)
        # What this pass has read so far is archived before it is compared.
        self._means.settle(self._stop)
        self._each("edits", self._with_edits(due), self._read_edits)
        for order in self._memory.orders:
            rooms = [room for room in self._rooms.values() if order.covers(room)]
            self._each("as ordered", rooms, partial(self._obey, order))
        self._each("history", self._with_history(), self._walk_history)
        self._confirm_edits()

    # New posts.

    def _is_due(self, room: Room) -> bool:
        is_ordered = any(order.covers(room) for order in self._memory.orders)
        is_set_back = self._means.catch_up.is_set_back(room)
        return is_ordered or is_set_back or not room.is_unchanged

    def _is_gone_read(self, room: Room) -> bool:
        return self._memory.gone_read.get(room.id) == self._number

    def _settle(self, rooms: Sequence[Room]) -> None:
        """Channels in which nothing is new are filled without a call.

        The socket was open before the list was asked for. What was visible by then
        is in the counters, and they are those of the last look, whose posts were
        written with them; all that became visible later comes live. A post that was
        late at the last look is no exception: that channel had been quiet for
        longer than a post may be late, so such a post would have raised
        last_post_at.
        """
        marks = []
        for room in rooms:
            mark = room.bookmark
            if self._number and mark.filled_for != self._number:
                place = (mark.mark_id, mark.mark_at)
                marks.append(CaughtUp(SOURCE, room.id, *place, self._number))
        if marks:
            self._means.deliver([], marks, self._stop)
            filled = [mark.channel_id for mark in marks]
            self._means.gaps.close_gaps(SOURCE, filled, POSTS)

    def _tell_gaps(self, rooms: Sequence[Room]) -> None:
        """All that may be missing is in the report before the first page is read."""
        missing = [
            room.id
            for room in rooms
            if room.bookmark.mark_at and room.bookmark.filled_for != self._number
        ]
        if missing:
            self._means.gaps.open_gaps(SOURCE, missing, POSTS, self._reason)
        # A walk may have ended without a word: its end was written, then we died.
        resting = [
            room.id for room in self._rooms.values() if not room.bookmark.edits_walk_id
        ]
        self._means.gaps.close_gaps(SOURCE, resting, EDITS)

    def _catch_up(self, room: Room) -> None:
        is_gone = room.news.messages < 0
        number = 0 if is_gone else self._number
        if self._means.catch_up.is_set_back(room):
            room = self._begin_anew(room, number)
        begins_at = self._begin_of_edits(room)
        steps = self._means.catch_up.walk(room, number)
        if not self._follow(room, steps, is_patient=True):
            return
        if begins_at:
            begin = Step((), [EditsRead(SOURCE, room.id, begins_at)])
            self._follow(self._rooms[room.id], iter([begin]), is_patient=True)
            self._memory.edits_read[room.id] = self._number
        self._means.gaps.close_gap(SOURCE, room.id, POSTS)
        if is_gone:
            self._memory.gone_read[room.id] = self._number

    def _begin_anew(self, room: Room, number: int) -> Room:
        log.warning("%s: the server's clock was set back, it is read anew", room.name)
        head = self._means.catch_up.head(room)
        mark = self._means.edits.anew(room, head, number)
        self._follow(room, iter([Step((), [mark])]), is_patient=True)
        self._memory.edits_read.pop(room.id, None)
        return self._rooms[room.id]

    # Edits.

    def _with_edits(self, changed: set[str]) -> Iterator[Room]:
        """The channels whose edits are not known for this connection.

        A deletion does not show in the counters, so an unchanged channel is asked
        once for each connection too, if the archive has something of it.
        """
        for room in self._rooms.values():
            if self._has_edits(room):
                continue
            is_quiet = room.id not in changed and not room.bookmark.edits_walk_id
            if is_quiet and not self._means.edits.has_archived(room):
                self._memory.edits_read[room.id] = self._number
            else:
                yield room

    def _begin_of_edits(self, room: Room) -> int:
        """From when on they count in a channel of which nothing is archived; else 0."""
        is_known = room.bookmark.edits_until > 0
        if is_known or self._means.edits.has_archived(room):
            return 0
        return self._means.edits.horizon()

    def _has_edits(self, room: Room) -> bool:
        return self._number == self._memory.edits_read.get(room.id, 0) != 0

    def _read_edits(self, room: Room) -> None:
        """They are known if a reading that began on this connection comes to its end.

        One that goes on with a long walk of earlier is followed by another. Behind a
        deaf connection one counts only from when posts are heard again.
        """
        is_told = self._means.hearing.is_proven
        for _ in range(2):
            is_new = not room.bookmark.edits_walk_id
            if not self._follow(room, self._means.edits.walk(room)):
                return
            before, room = room, self._rooms[room.id]
            is_walking = bool(room.bookmark.edits_walk_id)
            if is_new and room is not before and not is_walking and is_told:
                self._memory.edits_read[room.id] = self._number
            if is_new and not is_walking:
                return
        self.is_unfinished = True

    def _confirm_edits(self) -> None:
        """All edits until the last answered ping came live, or were read."""
        hearing = self._means.hearing
        until = hearing.answered_at - OVERLAP_MS
        if hearing.number != self._number or self._stop.is_set:
            return
        marks = [
            EditsRead(SOURCE, room.id, until)
            for room in self._rooms.values()
            if self._has_edits(room) and room.bookmark.edits_until < until
        ]
        if marks:
            self._means.deliver([], marks, self._stop)

    # History.

    def _with_history(self) -> Iterator[Room]:
        for room in self._rooms.values():
            if room.bookmark.mark_at and not room.bookmark.is_history_done:
                yield room

    def _walk_history(self, room: Room) -> None:
        if self._follow(room, self._means.history.walk(room)):
            # Else its anchor was gone, and it begins again with the next pass.
            if not self._rooms[room.id].bookmark.is_history_done:
                self.is_unfinished = True

    def _obey(self, order: Order, room: Room) -> None:
        if order.since_ms is not None:
            stand = order.stands.get(room.id, NOWHERE)
            steps = self._means.history.again(room, order.since_ms, stand)
            if not self._follow(room, _noting(steps, room, order)):
                return
        order.done.add(room.id)

    # One step after the other.

    def _each(
        self, phase: str, rooms: Iterable[Room], work: Callable[[Room], None]
    ) -> None:
        """Some channels side by side; one that fails does not keep the others."""
        due = [room for room in rooms if room.id not in self.failed]
        if not due or self._stop.is_set:
            return

        def guarded(room: Room) -> None:
            if self._stop.is_set:
                return
            try:
                work(self._rooms[room.id])
            except Unauthorised:
                raise
            except MalexbotError as error:
                self.failed[room.id] = error
            self._means.progress.finish(room.name)

        self._means.progress.begin(phase, len(due))
        each(due, guarded, threads=self._means.workers, name="backfill")

    def _follow(
        self, room: Room, steps: Iterator[Step], *, is_patient: bool = False
    ) -> bool:
        """Have each step written; yes means that the walk came to its end.

        After a stop nothing more is handed on: the step before may have been
        refused. What is not patient lets a new connection go first.
        """
        for step in steps:
            events = [event for event in step.events if self._means.is_wanted(event)]
            if events or step.marks:
                self._means.deliver(events, step.marks, self._stop)
            if self._stop.is_set:
                return False
            self._report(room, step.marks)
            room = self._rooms[room.id] = followed(room, step.marks)
            self._means.progress.read(room.name, len(events))
            self._memory.count(room, len(events))
            if not is_patient and self._is_called():
                self.is_unfinished = True
                return False
        return True

    def _report(self, room: Room, marks: Sequence[Mark]) -> None:
        """A long walk after edits is a gap for as long as it lasts."""
        if any(isinstance(mark, ReadAnew) for mark in marks):
            reason = "the server's clock was set back"
            self._means.gaps.open_gap(SOURCE, room.id, EDITS, reason)
        walks = [mark.walk_post_id for mark in marks if isinstance(mark, EditsRead)]
        was_walking = bool(room.bookmark.edits_walk_id)
        if any(walks) and not was_walking:
            reason = "too many changes for one answer"
            self._means.gaps.open_gap(SOURCE, room.id, EDITS, reason)
        elif walks and not any(walks) and was_walking:
            self._means.gaps.close_gap(SOURCE, room.id, EDITS)


def _noting(steps: Iterator[Step], room: Room, order: Order) -> Iterator[Step]:
    """The same steps; when one was followed, the order knows how far."""
    for step in steps:
        yield step
        order.stands[room.id] = step.anchor
        order.counts[room.id] += len(step.events)
