from __future__ import annotations

import threading
import time

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import Heart
from malexbot.runtime.stop import Stop


def test_a_wait_ends_when_the_stop_comes() -> None:
    stop = Stop()
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    assert stop.wait(30)
    assert time.monotonic() - started < 10


def test_a_wait_runs_out_without_a_stop() -> None:
    stop = Stop()
    assert not stop.wait(0.01)
    assert not stop.is_set


def test_the_first_deadline_stays() -> None:
    stop = Stop()
    first = Deadline(60)
    stop.set(first)
    stop.set(Deadline(0))
    assert stop.deadline is first


def test_before_the_stop_there_is_no_deadline() -> None:
    assert not Stop().deadline.is_over


def test_a_waiting_thread_does_not_hang() -> None:
    heart, stop = Heart(), Stop()

    def wait() -> None:
        heart.bind()
        stop.wait(30)

    thread = threading.Thread(target=wait)
    thread.start()
    while heart.waits_for is None:
        thread.join(0.001)
    assert heart.silent_s() == 0
    stop.set()
    thread.join()


def test_whoever_waits_elsewhere_is_woken_once() -> None:
    stop, calls = Stop(), []
    with stop.waking(lambda: calls.append("woken")):
        assert calls == []
        stop.set()
        stop.set()
    assert calls == ["woken"]


def test_whoever_waits_no_longer_is_left_in_peace() -> None:
    stop, calls = Stop(), []
    with stop.waking(lambda: calls.append("woken")):
        pass
    stop.set()
    assert calls == []
