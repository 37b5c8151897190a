"""The Bots Long Poll server: holds a request until there is something to tell."""

from __future__ import annotations

import time

import orjson

from malexbot.sandbox.call import Request
from malexbot.sandbox.line import Line
from malexbot.sandbox.vk.world import VkWorld

# How often a waiting poll looks whether its line was cut.
LOOK_S = 0.05
# How a poll ends when the session and what waited are lost.
LOST = 3


class LongPoll:
    """Answers polls, each in the thread of its line."""

    def __init__(self, world: VkWorld) -> None:
        self._world = world
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many polls wait for something to happen."""
        return self._waiting

    def answer(self, line: Line, request: Request) -> bytes | None:
        """The body; None if the line ended first."""
        ordered = self._world.faults.poll()
        if ordered is not None:
            return ordered
        query = request.query
        if query.get("act") != "a_check":
            return b'{"failed":4}'
        with self._world.changed:
            self._waiting += 1
            try:
                return self._wait(line, query)
            finally:
                self._waiting -= 1

    def _wait(self, line: Line, query: dict[str, str]) -> bytes | None:
        wait_s = min(
            float(query.get("wait", "25")), self._world.settings.longest_wait_s
        )
        if (ts := query.get("ts", "")).isdecimal():
            self._world.ledger.poll(int(ts))
        until = time.monotonic() + wait_s
        while not line.wait_cut(0):
            told = self._look(query)
            if told is not None:
                return told
            left_s = until - time.monotonic()
            if left_s <= 0:
                return _told(int(query["ts"]), [])
            self._world.changed.wait(min(left_s, LOOK_S))
        return None

    def _look(self, query: dict[str, str]) -> bytes | None:
        """What there is to tell now; None means nothing."""
        world, key, ts = self._world, query.get("key", ""), query.get("ts", "")
        number = int(ts) if ts.isdecimal() else 0
        if key != world.key:
            failed = world.ended.get(key, 2)
            if failed == LOST:
                world.lose(number)
            return orjson.dumps({"failed": failed})
        updates = world.since(number) if ts.isdecimal() else None
        if updates is None:
            world.ledger.declare_lost(number, world.ts)
            return orjson.dumps({"failed": 1, "ts": world.ts})
        if not updates or world.faults.is_deaf:
            return None
        return _told(number + len(updates), updates)


def _told(ts: int, updates: list[bytes]) -> bytes:
    """By hand: what is malformed on purpose may be no JSON."""
    return b'{"ts":"%d","updates":[%b]}' % (ts, b",".join(updates))
