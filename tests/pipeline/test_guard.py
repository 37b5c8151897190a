from __future__ import annotations

import pytest

from malexbot.pipeline import guard as module
from malexbot.pipeline.effects import POST, REACT
from malexbot.pipeline.guard import LoopGuard
from malexbot.ports import Effect


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def said(target: str = "mattermost:c1", count: int = 1) -> list[Effect]:
    return [Effect(POST, target, {"message": str(n)}) for n in range(count)]


def test_two_bots_that_answer_each_other_fall_silent(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    guard = LoopGuard(3)
    admitted = [len(guard.admit(said())) for _ in range(100)]
    assert sum(admitted) == 3
    told = "mattermost:c1: no answer, there were 3 within a minute"
    assert caplog.text.count(told) == 1
    # It goes on: that is told once a minute.
    clock[0] += 61
    assert sum(len(guard.admit(said())) for _ in range(100)) == 3
    assert caplog.text.count(told) == 2


def test_after_a_minute_it_may_be_answered_again(clock: list[float]) -> None:
    guard = LoopGuard(2)
    assert len(guard.admit(said(count=3))) == 2
    clock[0] += 59
    assert guard.admit(said()) == []
    clock[0] += 1
    assert len(guard.admit(said())) == 1


def test_each_channel_has_its_own_count(clock: list[float]) -> None:
    guard = LoopGuard(1)
    assert len(guard.admit(said("mattermost:c1") + said("mattermost:c2"))) == 2
    assert guard.admit(said("mattermost:c2")) == []


def test_reactions_always_may(clock: list[float]) -> None:
    guard = LoopGuard(1)
    guard.admit(said())
    reaction = Effect(REACT, "mattermost:c1", {"emoji": "eyes"})
    assert guard.admit([*said(), reaction]) == [reaction]


def test_quiet_channels_are_forgotten(clock: list[float]) -> None:
    guard = LoopGuard(1)
    for n in range(100):
        guard.admit(said(f"mattermost:c{n}"))
    clock[0] += 61
    guard.admit([])
    assert guard._said == {}


def test_what_a_job_said_in_vain_does_not_count(clock: list[float]) -> None:
    guard = LoopGuard(2)
    for _ in range(5):
        assert len(guard.admit(said(), job_id=7)) == 1
    assert len(guard.admit(said(), job_id=8)) == 1
    assert guard.admit(said(), job_id=9) == []
