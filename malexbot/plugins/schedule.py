"""What lets handlers be called by the clock: each due moment becomes an event.

Its id is made of that moment, so it is acted on once, however often it is told: by a
daemon that was killed and started again, or by the next one that is active. What came
due while none ran is told late, as long as the handler still wants it then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from malexbot.events import Event, Peer, User
from malexbot.plugins.handler import Handler
from malexbot.plugins.triggers import TICK
from malexbot.ports import Processor
from malexbot.runtime.calendar import Calendar
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# A clock that is put forward is noticed after so long at the latest.
LONGEST_WAIT_S = 30.0
# Between two looks at an intake that is full.
AGAIN_S = 1.0

Offer = Callable[[Event], bool]


class Ticks:
    """A service that offers an event whenever a handler is due."""

    name = "ticks"
    is_vital = False

    def __init__(
        self,
        handlers: Sequence[Processor],
        *,
        offer: Offer,
        now_ms: Callable[[], int],
        source: str = "mattermost",
    ) -> None:
        """`now_ms` is the clock that ages are judged by."""
        self._offer = offer
        self._now_ms = now_ms
        self._source = source
        self._told: dict[str, int] = {}
        self._poke = threading.Event()
        self.adopt(handlers)

    def adopt(self, handlers: Sequence[Processor]) -> None:
        """From now on these are called."""
        self._due = [
            (handler, calendar)
            for handler in handlers
            if isinstance(handler, Handler)
            for calendar in handler.calendars
        ]
        self._poke.set()

    def run(self, stop: Stop) -> None:
        with stop.waking(self._poke.set):
            while not stop.is_set:
                self._poke.clear()
                wait_s = self.turn()
                if not stop.is_set:
                    with outside("the next turn"):
                        self._poke.wait(wait_s)

    def turn(self) -> float:
        """Tell what is due; returns how long there is nothing to do."""
        if not self._due:
            return LONGEST_WAIT_S
        now_ms = self._now_ms()
        is_all_told = all([self._tell(*due, now_ms) for due in self._due])
        if not is_all_told:
            return AGAIN_S
        next_ms = min(calendar.next(now_ms) for _, calendar in self._due)
        return min((next_ms - now_ms) / 1000, LONGEST_WAIT_S)

    def _tell(self, handler: Handler, calendar: Calendar, now_ms: int) -> bool:
        """No: the intake had no room for it."""
        key = f"{handler.name} {calendar}"
        oldest_ms = now_ms - round(handler.max_age_s * 1000)
        since_ms = max(oldest_ms, self._told.get(key, oldest_ms) + 1)
        due_ms = calendar.last(now_ms, since_ms)
        if due_ms is None:
            return True
        if not self._offer(tick(handler.name, due_ms, self._source)):
            return False
        self._told[key] = due_ms
        return True


def tick(processor: str, due_ms: int, source: str) -> Event:
    """The event of one moment."""
    return Event(
        event_id=f"tick:{processor}:{due_ms}",
        source=source,
        name=TICK,
        event_type=TICK,
        peer=Peer("", ""),
        user=User(""),
        occurred_at=due_ms,
        origin="live",
        connection=0,
        raw=b"",
        data={"processor": processor},
    )
