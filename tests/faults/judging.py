"""Holds all ledgers together once everything has come to rest."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from malexbot.storage.database import Database
from tests.crash.judge import Judge
from tests.faults import routed
from tests.faults.community import Community
from tests.faults.footprint import Footprint, footprint
from tests.faults.ground import Ground
from tests.faults.order import out_of_order, too_old
from tests.faults.outcome import Outcome
from tests.faults.presses import Presses

# After the last fault; what is uncertain is looked for within seconds by a hasty one.
SETTLED_WITHIN_S = 90.0
# A second answer would come within that.
QUIET_S = 3.0
LOOK_EVERY_S = 0.5
# To hold all ledgers together is dear.
JUDGE_EVERY_S = 2.0
# What is wrong stays so if it is the same for that long: the rooms are read more often.
CALM_S = 12.0
# What the daemon logs only when something of its own goes wrong.
_SHAMES = ("Traceback", "hangs", "did not end in time", "main thread failed")
# psycopg2 prints this on its own when the server dies within a COPY; the error itself
# is raised as it should be, and the batch is written again.
_OF_PSYCOPG2 = re.compile(
    r"Traceback .*\n(?: .*\n)+SystemError: <built-in function utf_8_decode> returned .*"
)


class Judges:
    """Of the archive and the answers, of what was pressed, of what was routed."""

    def __init__(
        self,
        *,
        ground: Ground,
        questions: Mapping[str, str],
        presses: Presses,
        community: Community,
        database: Database,
    ) -> None:
        server = ground.server
        self._ground = ground
        self._questions = questions
        self._presses = presses
        self._community = community
        self._database = database
        self._judge = Judge(
            server.sandbox, ground.town, database, wrong_by_ms=server.longest_step_ms
        )

    def judge(self, outcome: Outcome) -> None:
        """Once nothing is on its way any more, nor may come twice."""
        wait(lambda: not self._judge.unfinished(), SETTLED_WITHIN_S)
        wait(self._presses.is_settled, SETTLED_WITHIN_S)
        wait(self._community.is_settled, SETTLED_WITHIN_S)
        settled(self._complaints)
        threading.Event().wait(QUIET_S)
        outcome.complain(self._complaints())
        self._judge_order(outcome)
        outcome.blame("panics", ["the hub panicked"] * self._ground.server.panics())
        _look_for_shames(self._ground, outcome)
        self._count(outcome)

    def _complaints(self) -> list[str]:
        return [
            *self._judge.complaints(self._questions),
            *self._presses.complaints(self._database),
            *self._community.complaints(self._database),
            *routed.judge(self._ground, self._database).complaints,
        ]

    def _judge_order(self, outcome: Outcome) -> None:
        ledger = self._ground.server.ledger
        entries = {entry.id: entry for entry in ledger.entries()}
        said = ledger.said(self._ground.town.bot)
        asked = [entries[post_id] for post_id in self._questions]
        outcome.blame("out of order", [*out_of_order(self._database, asked, said)])
        outcome.blame("too late", [*too_old(entries, said)])

    def _count(self, outcome: Outcome) -> None:
        entries = self._ground.server.ledger.entries()
        vk, found = self._ground.vk, routed.judge(self._ground, self._database)
        outcome.load.update(
            {
                "posts": len(entries),
                "edits": sum(len(entry.texts) - 1 for entry in entries),
                "deleted": sum(bool(entry.delete_at) for entry in entries),
                "archived": self._judge.archived(),
                "questions": len(self._questions) + len(self._community.owed("told")),
                "commands": len(self._presses.accepted),
                "buttons": self._presses.buttons + len(self._community.owed("button")),
                "updates of VK": len(vk.ledger.updates()),
                "… that VK lost": len(vk.ledger.declared_lost()),
                "routed": found.events,
                "… too late": found.expired,
            }
        )


def look_for_leaks(ground: Ground, before: Footprint, outcome: Outcome) -> None:
    pid = ground.daemon.pid

    def leaks() -> list[str]:
        return [*footprint(pid).leaks(before)]

    outcome.blame("leaked", settled(leaks))
    wait(lambda: ground.server.sockets() == 1, QUIET_S)
    if (sockets := ground.server.sockets()) != 1:
        outcome.blame("leaked", [f"{sockets} websockets"])


def settled(complaints: Callable[[], Sequence[str]]) -> Sequence[str]:
    """None, or those that stay; it is looked for long enough."""
    found, pause = complaints(), threading.Event()
    until = time.monotonic() + SETTLED_WITHIN_S / 3
    calm = min(until, time.monotonic() + CALM_S)
    while found and time.monotonic() < calm:
        pause.wait(JUDGE_EVERY_S)
        before, found = found, complaints()
        if found != before:
            calm = min(until, time.monotonic() + CALM_S)
    return found


def wait(is_so: Callable[[], object], seconds: float) -> None:
    """Until it is so, or the time is over."""
    until, pause = time.monotonic() + seconds, threading.Event()
    while not is_so() and time.monotonic() < until:
        pause.wait(LOOK_EVERY_S)


def _look_for_shames(ground: Ground, outcome: Outcome) -> None:
    for log in ground.logs:
        lines = _OF_PSYCOPG2.sub("", log).splitlines()
        told = [line for line in lines if any(shame in line for shame in _SHAMES)]
        outcome.blame("stuck", told)
