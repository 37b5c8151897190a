"""An answer that costs something is asked for seldom and waited for shortly."""

from __future__ import annotations

import threading
import time

import pytest

from malexbot.errors import Transient
from malexbot.runtime.fresh import Fresh

LONG_S = 30.0


class Source:
    """Counts how often it is asked; while it is closed, it does not answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_open = threading.Event()
        self.is_open.set()
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.asked += 1
        assert self.is_open.wait(LONG_S)
        if self.error:
            raise self.error
        return self.asked


@pytest.fixture
def source() -> Source:
    return Source()


def test_many_questions_are_one(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=LONG_S, patience_s=LONG_S)
    assert [fresh() for _ in range(5)] == [1] * 5


def test_an_old_answer_is_asked_for_anew(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=0, patience_s=LONG_S)
    assert [fresh() for _ in range(3)] == [1, 2, 3]


def test_who_asks_at_the_same_time_shares_the_answer(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=LONG_S, patience_s=LONG_S)
    source.is_open.clear()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(fresh())) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    source.is_open.set()
    for thread in threads:
        thread.join(LONG_S)
    assert answers == [1] * 5


def test_a_failure_is_kept_as_an_answer_is(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=LONG_S, patience_s=LONG_S)
    source.error = Transient("away")
    for _ in range(3):
        with pytest.raises(Transient, match="away"):
            fresh()
    assert source.asked == 1


def test_a_failure_is_over_when_it_is_old(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=0, patience_s=LONG_S)
    source.error = Transient("away")
    with pytest.raises(Transient):
        fresh()
    source.error = None
    assert fresh() == 2


def test_one_that_hangs_is_waited_for_once_by_all_questions(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=0, patience_s=0.3)
    source.is_open.clear()
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(Transient, match="test: no answer yet"):
            fresh()
    assert time.monotonic() - began < 50 * 0.3 / 2
    assert source.asked == 1
    source.is_open.set()


def test_the_late_answer_is_taken(source: Source) -> None:
    fresh = Fresh(source, name="test", keep_s=LONG_S, patience_s=0.05)
    source.is_open.clear()
    with pytest.raises(Transient):
        fresh()
    source.is_open.set()
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        try:
            assert fresh() == 1
            break
        except Transient:
            threading.Event().wait(0.01)
    assert source.asked == 1


def test_where_no_thread_can_begin_it_is_tried_again(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    fresh = Fresh(source, name="test", keep_s=0, patience_s=LONG_S)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", crowded)
        with pytest.raises(Transient, match="new thread"):
            fresh()
    assert fresh() == 1
