"""All connections there are, and what is waited for at each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from malexbot.runtime.deadline import Deadline
from malexbot.web.line import Line, State

# While a line is at work what was watched stays so: as a rule nothing comes, and to
# change it twice a request costs more than to be woken in vain once.
_EVENTS: dict[State, int] = {
    "idle": EVENT_READ,
    "arriving": EVENT_READ,
    "sending": EVENT_WRITE,
    "leaving": EVENT_READ,
}


class Lines:
    """Belong to one thread; counting them is free to all."""

    def __init__(self, selector: BaseSelector, ready: Callable[[Line], None]) -> None:
        """`ready` is what the selector's key calls when something can be done."""
        self._selector = selector
        self._ready = ready
        self._lines: set[Line] = set()

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        """Those of now; they may come and go meanwhile."""
        return iter(tuple(self._lines))

    def __contains__(self, line: Line) -> bool:
        return line in self._lines

    def put(self, line: Line, state: State, seconds: float) -> None:
        """From now on it is in this state, and for so long at most."""
        line.state, line.until = state, Deadline(seconds)
        self._lines.add(line)
        events = _EVENTS.get(state, line.watched)
        if events == line.watched:
            return
        if line.watched:
            self._selector.modify(line.sock, events, partial(self._ready, line))
        else:
            self._selector.register(line.sock, events, partial(self._ready, line))
        line.watched = events

    def ignore(self, line: Line) -> None:
        """Whatever comes, it is read later."""
        if line.watched:
            self._selector.unregister(line.sock)
            line.watched = 0

    def hang_up(self, line: Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
            self.ignore(line)
            line.sock.close()

    def first_over(self, *states: State) -> Line | None:
        """Of those in these states the one whose time ends first."""
        found = (line for line in self._lines if line.state in states)
        return min(found, key=lambda line: line.until.left_s, default=None)

    def late(self) -> Sequence[Line]:
        return [line for line in self._lines if line.until.is_over]

    def count(self, *states: State) -> int:
        return sum(line.state in states for line in self)

    @property
    def held(self) -> int:
        """How many bytes of requests are in memory."""
        return sum(line.arrival.size for line in self._lines)
