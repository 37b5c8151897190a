"""Keeps the bus from growing for ever, and never cuts off what is unread.

What all groups of a stream have done is cut off. Only beyond `redis.max_entries` the
oldest go, done or not; before that it is warned of, then counted, and told as the loss
that it is. Only streams that malexbot itself writes to are touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from malexbot.errors import MalexbotError, Permanent
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop

if TYPE_CHECKING:
    from malexbot.consumers.redis import RedisBus
    from malexbot.consumers.shears import Cut, Shears
    from malexbot.consumers.survey import StreamState

log = logging.getLogger(__name__)

PART = "streams"
UNCUT = "not cut: "
TURN_S = 30.0
# A crash of the database's machine may take back the end of a job; not for so long.
FORGET_AFTER_S = 60.0


class Trimming:
    """The service that looks at every stream of ours, turn after turn."""

    name = "trimming"
    is_vital = False

    def __init__(self, bus: Callable[[], RedisBus | None], health: Health) -> None:
        """`bus`: the one of now, which a reload may change."""
        self._bus = bus
        self._health = health
        self._told: dict[str, str] = {}
        self.states: Sequence[StreamState] = ()
        """The streams as they were when it last looked."""
        self.lost = 0
        """How many entries were cut off that a group had not done."""

    def run(self, stop: Stop) -> None:
        while not stop.wait(TURN_S):
            if bus := self._bus():
                self.turn(bus)
            else:
                self._health.forget(PART)

    def of_groups(self, number: str) -> dict[tuple[str, ...], float]:
        """That number of each stream and group that it is known of."""
        found = (
            ((stream.name, group.name), getattr(group, number))
            for stream in self.states
            for group in stream.groups
        )
        return {names: value for names, value in found if value is not None}

    def turn(self, bus: RedisBus) -> None:
        """Look at them once; what Redis refuses is tried again in the next turn."""
        # Not everybody has its package.
        from malexbot.consumers.shears import Shears

        with Shears(bus.settings) as shears:
            try:
                self.states = [cut.state for cut in self._cuts(shears, bus)]
                shears.forget(bus.forgettable(FORGET_AFTER_S))
            except MalexbotError as error:
                self._tell("", "ill", logging.WARNING, f"streams are not cut: {error}")
                self._health.tell(PART, f"{UNCUT}{error}", is_ready=True)
            else:
                self._health.forget(PART)
                self._tell("", "", logging.INFO, "streams are cut again")

    def _cuts(self, shears: Shears, bus: RedisBus) -> Iterator[Cut]:
        """Of those that are there: not as after a flush. Raises Transient."""
        most = bus.settings.max_entries
        for stream in sorted(bus.streams.copy()):
            try:
                cut = shears.trim(stream, most=most)
            except Permanent as error:
                words = f"the stream {stream} is not cut: {error}"
                self._tell(stream, "ill", logging.WARNING, words)
                continue
            if cut:
                self.lost += cut.lost
                self._judge(cut, most)
                yield cut

    def _judge(self, cut: Cut, most: int) -> None:
        """Nobody is told of what nobody reads."""
        state = cut.state
        if cut.lost:
            self._tell(
                state.name,
                "full",
                logging.ERROR,
                f"the stream {state.name} is full: its oldest {cut.lost} entries were"
                f" cut off before {', '.join(cut.losers)} had done them; see"
                " `malexbot bus lag` and redis.max_entries",
            )
        elif cut.is_filling:
            self._tell(
                state.name,
                "fills",
                logging.WARNING,
                f"the stream {state.name} fills: it holds {cut.left} entries, and"
                f" beyond {most} the oldest are cut off unread; see `malexbot bus lag`",
            )
        else:
            words = f"the stream {state.name} has room again"
            self._tell(state.name, "", logging.INFO, words)

    def _tell(self, part: str, state: str, level: int, words: str) -> None:
        """What goes on as before is told once, and so is its end."""
        if self._told.get(part, "") != state:
            self._told[part] = state
            log.log(level, "%s", words)
