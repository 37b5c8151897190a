"""Each act begins and ends in its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

import pytest

from tests.faults import run
from tests.faults.ground import Ground
from tests.faults.outcome import Outcome
from tests.faults.plan import Planned, at
from tests.faults.run import Conductor

SLOW_S, LASTS_S = 0.5, 0.2
NOBODY = cast(Ground, None)


class Told:
    """When each act began and ended; one of them takes its time to end."""

    def __init__(self, slow: str = "") -> None:
        self.times: list[tuple[str, float]] = []
        self._slow = slow

    def act(self, ground: Ground, planned: Planned) -> Callable[[], object]:
        name = planned.kind.name
        self._note(f"begin {name}")

        def end() -> None:
            if name == self._slow:
                threading.Event().wait(SLOW_S)
            self._note(f"end {name}")

        return end

    def _note(self, what: str) -> None:
        self.times.append((what, time.monotonic()))

    @property
    def order(self) -> list[str]:
        return [what for what, _ in self.times]

    def lasted_s(self, name: str) -> float:
        times = dict(self.times)
        return times[f"end {name}"] - times[f"begin {name}"]


def play(monkeypatch: pytest.MonkeyPatch, told: Told, *plan: Planned) -> None:
    monkeypatch.setattr(run, "ACTS", {each.kind.name: told.act for each in plan})
    outcome = Outcome()
    Conductor(NOBODY, outcome, lambda said: None).play(plan)
    assert sum(outcome.done.values()) == len(plan)


def test_what_is_planned_first_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    kinds = ("server: deaf", "database: line cut", "people: a flood", "server: 429")
    times = (0.3, 0.2, 0.0, 0.1)
    play(monkeypatch, told, *map(at, times, kinds))
    begun = [what for what in told.order if what.startswith("begin")]
    assert begun == [f"begin {kinds[n]}" for n in (2, 3, 1, 0)]


def test_what_takes_long_puts_off_what_comes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(slow="server: deaf")
    late = at(LASTS_S + 0.1, "database: line slow", LASTS_S)
    play(monkeypatch, told, at(0, "server: deaf", LASTS_S), late)
    assert told.lasted_s("database: line slow") >= LASTS_S


def test_two_that_touch_the_same_are_not_there_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told()
    long = at(0, "server: deaf", SLOW_S)
    play(monkeypatch, told, long, at(0.05, "server: slow", LASTS_S))
    assert told.order.index("end server: deaf") < told.order.index("begin server: slow")


def test_who_is_told_to_end_gets_its_database_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "_check_alive", lambda ground: None)
    told = Told()
    held = at(0, "database: line half open", 2 * SLOW_S)
    play(monkeypatch, told, held, at(0.05, "daemon: SIGTERM", LASTS_S))
    assert told.order.index(f"end {held.kind.name}") < told.order.index(
        "end daemon: SIGTERM"
    )
