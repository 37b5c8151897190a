from __future__ import annotations

import threading

import pytest

from malexbot.runtime import heart as hearts
from malexbot.runtime.heart import Heart, beat, outside


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(hearts.time, "monotonic", lambda: now[0])
    return now


def in_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_silence_grows_until_the_next_beat(clock: list[float]) -> None:
    heart = Heart()

    def work() -> None:
        heart.bind()
        clock[0] += 5
        assert heart.silent_s() == 5
        beat()
        assert heart.silent_s() == 0

    in_thread(work)
    assert heart.silent_s() == 0


def test_waiting_for_the_world_is_no_silence(clock: list[float]) -> None:
    heart = Heart()

    def work() -> None:
        heart.bind()
        with outside("the database"), outside("its answer"):
            clock[0] += 50
            assert heart.waits_for == "its answer"
            assert heart.silent_s() == 0
        assert heart.waits_for is None
        clock[0] += 1
        assert heart.silent_s() == 1

    in_thread(work)


def test_a_wait_that_fails_is_over_too(clock: list[float]) -> None:
    heart = Heart()
    with pytest.raises(OSError), heart.resting("a server"):
        raise OSError
    assert heart.waits_for is None


def test_a_thread_without_a_heart_is_left_in_peace() -> None:
    beat()
    with outside("anything"):
        pass
