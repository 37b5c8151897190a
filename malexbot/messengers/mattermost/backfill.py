"""Reads what nobody heard: at each new connection, every so often, or when asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from malexbot.errors import MalexbotError, Transient
from malexbot.messengers.mattermost.failures import (
    Forbidden,
    Missing,
    Unauthorised,
    gist,
)
from malexbot.messengers.mattermost.means import Means, Memory, Order
from malexbot.messengers.mattermost.rooms import Rooms, View
from malexbot.messengers.mattermost.sweep import Sweep
from malexbot.runtime.heart import outside
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# A refused token is tried again so often: somebody has to let the bot in again.
REFUSED_S = 60.0
# Nothing to do: it wakes when it is called.
TURN_S = 3600.0


class Backfill:
    """A service; all but `run` and `read` is for other threads."""

    name = "backfill"
    is_vital = False

    def __init__(
        self,
        *,
        rooms: Rooms,
        means: Means,
        wake_at: Callable[[Stop], None] = lambda stop: None,
    ) -> None:
        """`wake_at` is told the stop at which calls of the server end."""
        self._rooms = rooms
        self._means = means
        self._wake_at = wake_at
        self._memory = Memory()
        self._called = threading.Event()
        self._reason = "start"
        self._is_primed = False
        self._failing: dict[str, str] = {}

    # Other threads call.

    def on_new_connection(self, number: int, reason: str = "a new connection") -> None:
        """A socket with this number is open, its number committed.

        The bot's own removal from a channel or a team counts as one: a number
        taken on the same socket will do.
        """
        self._means.hearing.opened(number)
        self._reason = reason
        self._called.set()

    def on_channels_changed(self) -> None:
        """The bot was added somewhere, or a channel has another name."""
        self._called.set()

    def wake(self) -> None:
        """It is time for another look."""
        self._called.set()

    def request(
        self, channel_id: str | None = None, since_ms: int | None = None
    ) -> Order:
        """An operator wants a channel read, or all, and back to this time.

        The order tells when it is done; it lasts as long as the process.
        """
        order = Order(channel_id, since_ms)
        self._memory.orders.append(order)
        self._called.set()
        return order

    @property
    def state(self) -> str:
        """What it is at, or what it waits for, in words."""
        return self._means.progress.state

    # The thread of its own.

    def run(self, stop: Stop) -> None:
        self._wake_at(stop)
        backoff, wait_s = Backoff(), TURN_S
        with stop.waking(self._called.set):
            while not stop.is_set:
                with outside("a new connection, or the clock"):
                    self._called.wait(wait_s)
                if not stop.is_set:
                    wait_s = self._pass(backoff, stop)

    def _pass(self, backoff: Backoff, stop: Stop) -> float:
        """Who runs us again once it failed for good goes on where it ended."""
        try:
            return self._turn(backoff, stop)
        except BaseException:
            self._called.set()
            raise

    def _turn(self, backoff: Backoff, stop: Stop) -> float:
        """Read if there is reason to; returns how long to wait for the next one."""
        try:
            is_read = self.read(stop)
        except Unauthorised as error:
            self._tell_once("", error)
            self._means.progress.end("unauthorised", is_ready=False)
            return REFUSED_S
        except Transient as error:
            if stop.is_set:
                return 0  # the stop has cut a call off
            self._tell_once("", error)
            self._means.progress.end(f"waits: {error}")
            return backoff.next_s()
        if is_read:
            backoff.reset()
            return TURN_S
        return backoff.next_s()

    def read(self, stop: Stop) -> bool:
        """One pass over all channels; yes means that there is nothing left to read.

        Raises Transient also while the listener does not know yet who the bot is.
        """
        self._called.clear()
        if not self._means.knows_self():
            raise Transient("the server has not told yet who the bot is")
        if not self._is_primed:
            self._rooms.remember()
            self._is_primed = True
        # The number first: its socket was open when the list is asked for.
        number, reason = self._means.hearing.number, self._reason
        self._means.progress.state = "asks which channels there are"
        self._means.settle(stop)
        view = self._rooms.look(number)
        if view.stale:
            names = ", ".join(room.name for room in view.stale)
            self._means.hearing.wish_anew(f"left or came back: {names}")
        sweep = Sweep(
            means=self._means,
            memory=self._memory,
            number=number,
            reason=reason,
            stop=stop,
            is_called=self._called.is_set,
        )
        sweep.over(view)
        self._conclude(view, sweep, is_over=stop.is_set)
        return not (sweep.failed or sweep.is_unfinished or stop.is_set)

    def _conclude(self, view: View, sweep: Sweep, *, is_over: bool) -> None:
        """Tell what failed; what the stop has cut off did not."""
        self._tell_once("", None)
        lost: set[str] = set()
        for room in (*view.rooms, *view.gone):
            error = sweep.failed.get(room.id)
            if isinstance(error, Forbidden | Missing):
                self._rooms.lose(room, str(error))
                self._memory.give_up(room)
                del sweep.failed[room.id]
                lost.add(room.id)
                continue
            if error is None or not is_over:
                self._tell_once(f"channel {room.name} ({room.id}): ", error)
        read = [r for r in view.rooms if r.id not in (sweep.failed.keys() | lost)]
        self._rooms.regain(read)
        self._memory.forget((*view.rooms, *view.stale))
        self._means.hearing.forget_but({room.id for room in view.rooms})
        total, failed = len(view.rooms), len(sweep.failed)
        self._means.progress.end(f"{total - failed} of {total} channels read")

    def _tell_once(self, where: str, error: MalexbotError | None) -> None:
        """A failure is told when it is new, and when it is over."""
        told = self._failing.pop(where, None)
        if error is not None:
            self._failing[where] = gist(error)
            if told != gist(error):
                log.warning("backfill: %s%s; it is tried again", where, error)
        elif told is not None:
            log.info("backfill: %sworks again", where)
