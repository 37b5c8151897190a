"""A bot at a model of a server, one call after the other, for tests of the walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from malexbot.events import Event
from malexbot.ports import CaughtUp, Mark
from tests.simulation.bot import Process
from tests.simulation.server import Server
from tests.simulation.store import Store

MINUTE_MS = 60_000


class Desk:
    """A server with one channel, a store, and a bot that has read it all."""

    def __init__(self, *, per_page: int = 4, since_limit: int = 1000) -> None:
        self.server = Server(per_page=per_page, since_limit=since_limit)
        self.server.channel("one")
        self.store = Store()
        self.bot = Process(self.server, self.store)

    def say(self, count: int = 1, *, apart_ms: int = 1000) -> list[str]:
        posts = []
        for _ in range(count):
            self.server.advance(apart_ms)
            posts.append(self.server.say("one").id)
        return posts

    def settle(self) -> None:
        """Connected, all read and written, and quiet for long enough."""
        self.server.advance(2 * MINUTE_MS)
        self.bot.connect()
        assert self.bot.read()
        self.bot.flush()

    def miss(self, count: int, *, apart_ms: int = 1000) -> list[str]:
        """The line is cut; so many posts later there is a new connection."""
        self.bot.cut()
        self.bot.delivered.clear()
        self.server.advance(5 * MINUTE_MS)
        posts = self.say(count, apart_ms=apart_ms)
        self.server.advance(5 * MINUTE_MS)
        self.bot.connect()
        return posts

    def read(self) -> bool:
        is_read = self.bot.read()
        self.bot.flush()
        return is_read

    def calls(self, read: Callable[[], object]) -> list[str]:
        self.server.calls.clear()
        read()
        return [call.split()[0] for call in self.server.calls]

    @property
    def mark(self) -> tuple[str, int]:
        mark = self.store.mark("one")
        return mark.mark_id, mark.filled_for

    @property
    def parcels(self) -> list[tuple[Sequence[Event], Sequence[Mark]]]:
        """What the last pass handed to intake."""
        return self.bot.delivered

    @property
    def moved(self) -> list[CaughtUp]:
        """How the mark moved with them."""
        moved = [mark for _, marks in self.parcels for mark in marks]
        return [mark for mark in moved if isinstance(mark, CaughtUp)]


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.say(12, apart_ms=10_000)
    desk.settle()
    return desk
