"""Plays a plan on the ground, under load, and holds the ledgers together at the end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from subprocess import TimeoutExpired

from malexbot.errors import MalexbotError
from malexbot.storage.database import Database
from tests.crash.traffic import Traffic
from tests.faults import on_daemon, on_database, on_routes, on_server
from tests.faults.community import Community
from tests.faults.footprint import Footprint, footprint
from tests.faults.ground import Ground
from tests.faults.judging import (
    LOOK_EVERY_S,
    SETTLED_WITHIN_S,
    Judges,
    look_for_leaks,
    wait,
)
from tests.faults.outcome import Outcome
from tests.faults.plan import Planned
from tests.faults.presses import Presses

# So much of its log tells why it died.
LOG_END = 3_000
# What leaks once for each line that is cut shows; pools are full after the first ones.
WARM_UP, CUTS = 3, 16
# So many looks, under load, tell what a pool holds when nothing is cut.
PLATEAU = 40
CUT_EVERY_S = 0.7
# Who is told to end has what it needs for that, while it is waited for.
ENDING, NEEDED = "daemon: SIGTERM", frozenset({"database", "line", "server"})
# How each kind of the plan is done.
ACTS = {
    **on_daemon.ACTS,
    **on_database.ACTS,
    **on_server.ACTS,
    **on_routes.ACTS,
}

Tell = Callable[[str], None]


def play(
    ground: Ground,
    plan: Sequence[Planned],
    seed: int,
    tell: Tell = lambda told: None,
    cuts: int = CUTS,
    pace: float = 1.0,
) -> Outcome:
    """All of it, on a ground that was started; without cuts, no leak is looked for.

    `pace`: how quick people are; what aims at one thing needs no crowd.
    """
    outcome = Outcome()
    with _dying_threads(outcome):
        ground.start_daemon().wait_for_log("posts read")
        _wait_for_vk(ground)
        # Not the numbers that made the plan: both would choose alike.
        choice = random.Random(f"people {seed}")
        presses = Presses(
            acts=ground.server.acts,
            ledger=ground.server.ledger,
            town=ground.town,
            choice=random.Random(f"presses {seed}"),
            pace=pace,
        )
        community = Community(ground.vk, random.Random(f"community {seed}"), pace)
        with (
            Traffic(ground.server.sandbox, ground.town, choice, pace) as traffic,
            presses,
            community,
        ):
            try:
                Conductor(ground, outcome, tell).play(plan)
                _heal(ground)
                before = _wear(ground, cuts)
            except (AssertionError, MalexbotError, TimeoutExpired) as error:
                outcome.blame("stuck", [f"{type(error).__name__}: {error}"])
                return outcome
        with Database(ground.postgres.dsn) as database:
            Judges(
                ground=ground,
                questions=traffic.questions,
                presses=presses,
                community=community,
                database=database,
            ).judge(outcome)
        if cuts:
            look_for_leaks(ground, before, outcome)
    return outcome


def _wait_for_vk(ground: Ground) -> None:
    """VK tells from the first mark on: who never listened has missed nothing."""
    with Database(ground.postgres.dsn) as database:

        def is_marked() -> bool:
            with database.transaction() as cursor:
                cursor.execute("SELECT FROM feeds")
                return bool(cursor.rowcount)

        wait(is_marked, SETTLED_WITHIN_S)


class Conductor:
    """Begins and ends each act in its time."""

    def __init__(self, ground: Ground, outcome: Outcome, tell: Tell) -> None:
        self._ground = ground
        self._outcome = outcome
        self._tell = tell
        self._open: dict[Planned, Callable[[], object]] = {}
        self._began = time.monotonic()

    def play(self, plan: Sequence[Planned]) -> None:
        """What takes its time puts off all that comes after it."""
        numbers = count()
        due = sorted((each.at_s, next(numbers), each) for each in plan)
        while due:
            at_s, _, planned = heappop(due)
            self._began += max(0, self._now_s() - at_s)
            threading.Event().wait(max(0, at_s - self._now_s()))
            if planned in self._open:
                self._end(planned)
            elif at_s <= planned.at_s:
                self._make_room(planned)
                self._begin(planned)
                until_s = self._now_s() + planned.lasts_s
                heappush(due, (until_s, next(numbers), planned))

    def _begin(self, planned: Planned) -> None:
        self._say(str(planned))
        self._outcome.done[planned.kind.name] += 1
        self._open[planned] = ACTS[planned.kind.name](self._ground, planned)

    def _end(self, planned: Planned) -> None:
        end = self._open.pop(planned)
        if planned.kind.name == ENDING:
            self._end_all(NEEDED)
        if planned.lasts_s:
            self._say(f"… {planned.kind.name}: over")
        end()

    def _make_room(self, planned: Planned) -> None:
        """On a busy machine one may last into the time of the next."""
        self._end_all(planned.kind.touches)
        if "daemon" in planned.kind.touches:
            _check_alive(self._ground)

    def _end_all(self, touches: frozenset[str]) -> None:
        for each in [*self._open]:
            if each in self._open and each.kind.touches & touches:
                self._end(each)

    def _say(self, what: str) -> None:
        self._tell(f"{self._now_s():7.1f} s  {what}")

    def _now_s(self) -> float:
        return time.monotonic() - self._began


def _heal(ground: Ground) -> None:
    """Nothing is wrong any more; the daemon of now has to live and to listen."""
    ground.server.faults.heal()
    ground.line.heal()
    ground.wire.heal()
    ground.vk.faults.heal()
    ground.redis_line.heal()
    ground.postgres.start()
    _check_alive(ground)
    wait(lambda: ground.server.sockets() == 1, SETTLED_WITHIN_S)


def _check_alive(ground: Ground) -> None:
    daemon = ground.daemon
    if (code := daemon.exit_code) is not None:
        raise MalexbotError(f"it died with {code}\n{daemon.log[-LOG_END:]}")


def _wear(ground: Ground, cuts: int) -> Footprint:
    """Cut all lines of one daemon again and again; what it held after the first."""
    _cut_all(ground, WARM_UP if cuts else 0)
    pause, before = threading.Event(), footprint(ground.daemon.pid)
    for _ in range(PLATEAU if cuts else 0):
        pause.wait(LOOK_EVERY_S / 5)
        before = Footprint(*map(max, before, footprint(ground.daemon.pid)))
    _cut_all(ground, cuts)
    _check_alive(ground)
    return before


def _cut_all(ground: Ground, times: int) -> None:
    pause = threading.Event()
    for _ in range(times):
        ground.server.faults.cut()
        ground.vk.faults.cut()
        ground.line.cut()
        ground.redis_line.cut()
        pause.wait(CUT_EVERY_S)


@contextmanager
def _dying_threads(outcome: Outcome) -> Iterator[None]:
    """A thread of ours that dies is a fault of the runner, and is told as such."""
    before = threading.excepthook

    def note(died: threading.ExceptHookArgs) -> None:
        outcome.blame("stuck", [f"our own thread: {died.exc_value!r}"])
        before(died)

    threading.excepthook = note
    try:
        yield
    finally:
        threading.excepthook = before
