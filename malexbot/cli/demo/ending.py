"""How the demo learns that the person who watches it has seen enough."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue

from malexbot.runtime.signals import Signals


class Ended(Exception):
    """A signal came, Ctrl-C as a rule; all that runs is to be left in order."""


class Ending:
    """`with Ending() as ending:` no signal breaks in; each pause asks for one."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[signal.Signals] = SimpleQueue()
        self._signals = Signals(self._inbox.put)

    def __enter__(self) -> Ending:
        self._signals.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._signals.stop()

    def pause(self, seconds: float) -> None:
        """Wait so long; raises Ended when a signal has come, or comes meanwhile."""
        try:
            self._inbox.get(timeout=seconds)
        except Empty:
            return
        raise Ended
