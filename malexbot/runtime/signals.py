"""Signals become messages in the main thread's queue; handlers do nothing else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Signals:
    """Hands each signal to `put`, from `start` until `stop`."""

    def __init__(self, put: Callable[[signal.Signals], None]) -> None:
        self._put = put
        self._before: dict[signal.Signals, object] = {}

    def start(self) -> None:
        for number in HANDLED:
            self._before[number] = signal.signal(number, self._handle)

    def stop(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._put(signal.Signals(number))
