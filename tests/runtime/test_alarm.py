from __future__ import annotations

import pytest

from malexbot.runtime.alarm import (
    MOST_WARNINGS,
    PER_S,
    Alarm,
)
from tests.support.fakes import Clock


def test_it_warns_again_when_the_flood_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    alarm = Alarm(clock)
    for number in range(MOST_WARNINGS * 3):
        alarm.warn("/slash", "192.0.2.7", f"reason {number}")
    assert len(caplog.messages) == MOST_WARNINGS + 1
    assert "more is refused" in caplog.messages[-1]
    clock.now += PER_S
    alarm.warn("/slash", "192.0.2.7", "the last")
    assert "the last" in caplog.messages[-1]
