"""Runs a service in a thread of its own, as the supervisor would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Service

PATIENCE_S = 20.0


class Running:
    """`with Running(service) as running:`; what the service raised is in `error`."""

    def __init__(self, service: Service) -> None:
        self.stop = Stop()
        self.error: Exception | None = None
        self._service = service
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=service.name)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.end()
        if error is None and self.error is not None:
            raise self.error

    def end(self, seconds: float = PATIENCE_S) -> None:
        """Stop it with so much time for the drain, and wait for its end."""
        self.stop.set(Deadline(seconds))
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the service does not end"

    def wait_for_the_end(self) -> None:
        """It ends by itself."""
        assert self._ended.wait(PATIENCE_S), "the service goes on"

    def _run(self) -> None:
        try:
            self._service.run(self.stop)
        except Exception as error:
            self.error = error
        finally:
            self._ended.set()


def eventually(is_so: Callable[[], object]) -> None:
    """It comes to be so in time, or the test fails."""
    until, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < until, "it never came to be so"
        pause.wait(0.001)
