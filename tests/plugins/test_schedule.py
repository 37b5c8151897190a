"""Ticks: told once each, late rather than never, whatever stops in between."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from malexbot.events import Event
from malexbot.plugins.handler import Handler
from malexbot.plugins.rehearsal import Rehearsal
from malexbot.plugins.schedule import AGAIN_S, LONGEST_WAIT_S, Ticks
from malexbot.ports import Occasion
from malexbot.runtime.stop import Stop

NINE = 1_795_251_600_000 - 1_795_251_600_000 % 86_400_000 + 9 * 3_600_000
MINUTE = 60_000
OCCASION = Occasion(0)
PLUGIN = """
from malexbot import every, cron, command

@every("5m")
def often(event, bot): ...

@cron("0 9 * * *", max_age="1h")
def daily(event, bot): ...

@command("/x")
def other(event, bot): ...
"""


class Pipe:
    """An intake with a clock; it is full when it is told to be."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.looks = 0
        self.is_full = False
        self.taken: list[Event] = []
        self.came = threading.Event()

    def offer(self, event: Event) -> bool:
        if self.is_full:
            return False
        self.taken.append(event)
        self.came.set()
        return True

    def look(self) -> int:
        self.looks += 1
        return self.now_ms

    def take(self) -> list[str]:
        ids = [event.event_id for event in self.taken]
        self.taken.clear()
        return ids


@pytest.fixture
def handlers(tmp_path: Path) -> Sequence[Handler]:
    (tmp_path / "mine.py").write_text(PLUGIN)
    return Rehearsal(tmp_path / "mine.py").handlers


def ticks(handlers: Sequence[Handler], pipe: Pipe) -> Ticks:
    return Ticks(handlers, offer=pipe.offer, now_ms=pipe.look)


def test_what_is_due_is_told_once(handlers: Sequence[Handler]) -> None:
    pipe = Pipe(NINE - MINUTE)
    service = ticks(handlers, pipe)
    service.turn()
    pipe.take()
    assert service.turn() == 30.0
    assert pipe.take() == []
    pipe.now_ms = NINE + 1
    service.turn()
    assert pipe.take() == [f"tick:mine.often:{NINE}", f"tick:mine.daily:{NINE}"]
    assert service.turn() == LONGEST_WAIT_S
    assert pipe.take() == []


def test_the_wait_ends_when_something_is_due(handlers: Sequence[Handler]) -> None:
    pipe = Pipe(NINE - 2_000)
    assert ticks(handlers, pipe).turn() == 2.0


def test_a_second_daemon_tells_the_same_moment_by_the_same_id(
    handlers: Sequence[Handler],
) -> None:
    pipe = Pipe(NINE + MINUTE)
    ticks(handlers, pipe).turn()
    first = pipe.take()
    pipe.now_ms += MINUTE
    ticks(handlers, pipe).turn()
    assert pipe.take() == first


def test_what_was_missed_is_told_late_but_not_too_late(
    handlers: Sequence[Handler],
) -> None:
    pipe = Pipe(NINE + 59 * MINUTE)
    ticks(handlers, pipe).turn()
    assert f"tick:mine.daily:{NINE}" in pipe.take()
    pipe.now_ms = NINE + 61 * MINUTE
    ticks(handlers, pipe).turn()
    assert f"tick:mine.daily:{NINE}" not in pipe.take()


def test_of_many_that_were_missed_the_last_is_told(handlers: Sequence[Handler]) -> None:
    pipe = Pipe(NINE + MINUTE)
    service = ticks(handlers, pipe)
    service.turn()
    pipe.take()
    pipe.now_ms = NINE + 31 * MINUTE
    service.turn()
    assert pipe.take() == [f"tick:mine.often:{NINE + 30 * MINUTE}"]


def test_a_full_intake_is_asked_again(handlers: Sequence[Handler]) -> None:
    pipe = Pipe(NINE)
    pipe.is_full = True
    service = ticks(handlers, pipe)
    assert service.turn() == AGAIN_S
    pipe.is_full = False
    service.turn()
    assert len(pipe.take()) == 2


def test_a_clock_that_is_put_back_tells_nothing_twice(
    handlers: Sequence[Handler],
) -> None:
    pipe = Pipe(NINE + MINUTE)
    service = ticks(handlers, pipe)
    service.turn()
    pipe.take()
    pipe.now_ms = NINE - 2 * MINUTE
    service.turn()
    assert pipe.take() == []


def test_an_event_says_which_handler_it_is_for(handlers: Sequence[Handler]) -> None:
    pipe = Pipe(NINE)
    ticks(handlers, pipe).turn()
    for event in pipe.taken:
        assert (event.name, event.occurred_at, event.source) == (
            *("tick", NINE),
            "mattermost",
        )
    wanted = [
        [handler.name for handler in handlers if handler.wants(event, OCCASION)]
        for event in pipe.taken
    ]
    assert wanted == [["mine.often"], ["mine.daily"]]


def test_it_runs_is_woken_by_new_handlers_and_ends(
    handlers: Sequence[Handler],
) -> None:
    pipe, stop = Pipe(NINE), Stop()
    service = ticks([], pipe)
    thread = threading.Thread(target=service.run, args=[stop])
    thread.start()
    try:
        service.adopt(handlers)
        assert pipe.came.wait(10)
        # It rests until the next is due, or somebody wakes it.
        assert not stop.wait(0.1)
        assert pipe.looks < 10
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert len(pipe.take()) == 2


def test_where_nothing_is_due_nobody_is_asked_what_time_it_is() -> None:
    def unknown() -> int:
        raise AssertionError

    ticks = Ticks([], offer=lambda event: True, now_ms=unknown)
    assert ticks.turn() > 0
