from __future__ import annotations

import os
import signal
from queue import SimpleQueue

from malexbot.runtime.signals import HANDLED, Signals


def test_each_signal_becomes_a_message() -> None:
    inbox: SimpleQueue[signal.Signals] = SimpleQueue()
    before = [signal.getsignal(number) for number in HANDLED]
    signals = Signals(inbox.put)
    signals.start()
    try:
        for number in HANDLED:
            os.kill(os.getpid(), number)
            assert inbox.get(timeout=5) is number
    finally:
        signals.stop()
        signals.stop()
    assert [signal.getsignal(number) for number in HANDLED] == before
