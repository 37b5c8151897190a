from __future__ import annotations

import threading

import pytest

from malexbot.runtime import heart as hearts
from malexbot.runtime import watchdog as module
from malexbot.runtime.heart import Heart
from malexbot.runtime.systemd import Notifier
from malexbot.runtime.watchdog import Watchdog


class Manager(Notifier):
    """Counts the pings."""

    def __init__(self, watchdog_s: float | None) -> None:
        super().__init__(None, watchdog_s=watchdog_s)
        self.pings = 0

    def alive(self) -> None:
        self.pings += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(hearts.time, "monotonic", lambda: now[0])
    assert module.time is hearts.time
    return now


def test_pings_at_a_third_of_what_is_allowed(clock: list[float]) -> None:
    manager = Manager(watchdog_s=30)
    watchdog = Watchdog(manager, lambda: [])
    for _ in range(100):
        watchdog.turn()
        clock[0] += 1
    assert manager.pings == 10


def test_does_nothing_when_systemd_does_not_watch(clock: list[float]) -> None:
    manager = Manager(watchdog_s=None)
    Watchdog(manager, lambda: []).turn()
    assert manager.pings == 0


def test_falls_silent_for_a_thread_that_hangs_and_says_where(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    manager, heart = Manager(watchdog_s=30), Heart()
    watchdog = Watchdog(manager, lambda: [(threading.current_thread(), heart)])
    for _ in range(60):
        watchdog.turn()
        clock[0] += 1
    assert manager.pings == 2
    assert caplog.text.count("hangs, systemd") == 1
    assert "test_falls_silent" in caplog.text
    heart.beat()
    watchdog.turn()
    assert manager.pings == 3


def test_goes_on_while_a_thread_waits_for_somebody_else(clock: list[float]) -> None:
    manager, heart = Manager(watchdog_s=30), Heart()
    watchdog = Watchdog(manager, lambda: [(threading.current_thread(), heart)])
    with heart.resting("the database"):
        for _ in range(60):
            watchdog.turn()
            clock[0] += 1
    assert manager.pings == 6
