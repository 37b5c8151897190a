"""Plays a plan on the ground, under load, and holds the ledgers together at the end."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from subprocess import TimeoutExpired

from malexbot.errors import MalexbotError
from malexbot.storage.database import Database
from tests.crash.judge import Judge
from tests.crash.traffic import Traffic
from tests.faults import on_daemon, on_database, on_server
from tests.faults.footprint import Footprint, footprint
from tests.faults.ground import Ground
from tests.faults.order import out_of_order, too_old
from tests.faults.plan import Planned
from tests.faults.presses import Presses

# After the last fault; what is uncertain is looked for within seconds by a hasty one.
SETTLED_WITHIN_S = 90.0
# A second answer would come within that.
QUIET_S = 3.0
LOOK_EVERY_S = 0.5
# So much of its log tells why it died.
LOG_END = 3_000
# What leaks once for each line that is cut shows; pools are full after the first ones.
WARM_UP, CUTS = 3, 16
# So many looks, under load, tell what a pool holds when nothing is cut.
PLATEAU = 40
CUT_EVERY_S = 0.7
# What the daemon logs only when something of its own goes wrong.
_SHAMES = ("Traceback", "hangs", "did not end in time", "main thread failed")
# psycopg2 prints this on its own when the server dies within a COPY; the error itself
# is raised as it should be, and the batch is written again.
_OF_PSYCOPG2 = re.compile(
    r"Traceback .*\n(?: .*\n)+SystemError: <built-in function utf_8_decode> returned .*"
)
# Who is told to end has what it needs for that, while it is waited for.
ENDING, NEEDED = "daemon: SIGTERM", frozenset({"database", "line", "server"})
# How the judge's complaints begin, and what is counted.
_COLUMNS = {
    "lost": "lost",
    "doubled": "archived twice",
    "answered twice": "answered twice",
    "never answered": "never answered",
    "done twice": "done twice",
    "never done": "never done",
}
COUNTED = (*_COLUMNS, "out of order", "too late", "wrong", "leaked", "stuck", "panics")

# How each kind of the plan is done.
ACTS = {**on_daemon.ACTS, **on_database.ACTS, **on_server.ACTS}

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What was done how often, and what came of it."""

    done: Counter[str] = field(default_factory=Counter)
    load: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return not self.wrong

    def blame(self, what: str, which: Sequence[str]) -> None:
        if which:
            self.wrong.setdefault(what, []).extend(which)


def play(
    ground: Ground,
    plan: Sequence[Planned],
    seed: int,
    tell: Tell = lambda told: None,
    cuts: int = CUTS,
) -> Outcome:
    """All of it, on a ground that was started; without cuts, no leak is looked for."""
    outcome = Outcome()
    with _dying_threads(outcome):
        ground.start_daemon().wait_for_log("posts read")
        # Not the numbers that made the plan: both would choose alike.
        choice = random.Random(f"people {seed}")
        presses = Presses(
            acts=ground.server.acts,
            ledger=ground.server.ledger,
            town=ground.town,
            choice=random.Random(f"presses {seed}"),
        )
        with Traffic(ground.server.sandbox, ground.town, choice) as traffic, presses:
            try:
                Conductor(ground, outcome, tell).play(plan)
                _heal(ground)
                before = _wear(ground, cuts)
            except (AssertionError, MalexbotError, TimeoutExpired) as error:
                outcome.blame("stuck", [f"{type(error).__name__}: {error}"])
                return outcome
        with Database(ground.postgres.dsn) as database:
            _judge(ground, database, traffic.questions, outcome)
            _judge_presses(presses, database, outcome)
        if cuts:
            _look_for_leaks(ground, before, outcome)
    return outcome


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
    ground.postgres.start()
    _check_alive(ground)
    _wait(lambda: ground.server.sockets() == 1, SETTLED_WITHIN_S)


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
        ground.line.cut()
        pause.wait(CUT_EVERY_S)


def _judge(
    ground: Ground, database: Database, questions: Mapping[str, str], outcome: Outcome
) -> None:
    server = ground.server
    judge = Judge(
        server.sandbox, ground.town, database, wrong_by_ms=server.longest_step_ms
    )
    _wait(lambda: not judge.unfinished(), SETTLED_WITHIN_S)
    _wait(lambda: not judge.complaints(questions), QUIET_S)
    threading.Event().wait(QUIET_S)
    for complaint in judge.complaints(questions):
        outcome.blame(_column(complaint), [complaint])
    ledger = ground.server.ledger
    entries = {entry.id: entry for entry in ledger.entries()}
    said = ledger.said(ground.town.bot)
    asked = [entries[post_id] for post_id in questions]
    outcome.blame("out of order", [*out_of_order(database, asked, said)])
    outcome.blame("too late", [*too_old(entries, said)])
    outcome.blame("panics", ["the hub panicked"] * ground.server.panics())
    for log in ground.logs:
        lines = _OF_PSYCOPG2.sub("", log).splitlines()
        told = [line for line in lines if any(shame in line for shame in _SHAMES)]
        outcome.blame("stuck", told)
    edits = sum(len(entry.texts) - 1 for entry in entries.values())
    deleted = sum(bool(entry.delete_at) for entry in entries.values())
    outcome.load.update(posts=len(entries), edits=edits, deleted=deleted)
    outcome.load.update(questions=len(questions), archived=judge.archived())


def _judge_presses(presses: Presses, database: Database, outcome: Outcome) -> None:
    _wait(presses.is_settled, SETTLED_WITHIN_S)
    threading.Event().wait(QUIET_S)
    for complaint in presses.complaints(database):
        outcome.blame(_column(complaint), [complaint])
    outcome.load.update(commands=presses.accepted, buttons=presses.buttons)


def _look_for_leaks(ground: Ground, before: Footprint, outcome: Outcome) -> None:
    pid = ground.daemon.pid

    def leaks() -> list[str]:
        return [*footprint(pid).leaks(before)]

    _wait(lambda: not leaks(), SETTLED_WITHIN_S / 3)
    outcome.blame("leaked", leaks())
    _wait(lambda: ground.server.sockets() == 1, QUIET_S)
    if (sockets := ground.server.sockets()) != 1:
        outcome.blame("leaked", [f"{sockets} websockets"])


def _column(complaint: str) -> str:
    starts = (name for name, word in _COLUMNS.items() if complaint.startswith(word))
    is_twice = complaint.endswith("archived twice")
    return "doubled" if is_twice else next(starts, "wrong")


def _wait(is_so: Callable[[], object], seconds: float) -> None:
    """Until it is so, or the time is over."""
    until, pause = time.monotonic() + seconds, threading.Event()
    while not is_so() and time.monotonic() < until:
        pause.wait(LOOK_EVERY_S)


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
