"""Runs services, each in a named thread, and keeps them running."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from malexbot.errors import ANYTHING, MalexbotError
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import Heart
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# A service that ran so long was well: its next failure is a first one.
HEALTHY_AFTER_S = 60.0
# A service that fails at once shall not spin, whatever the jitter says.
LEAST_WAIT_S = 0.5
# What is not vital holds up the stop of the others no longer: it may wait for a server
# that is silent, while those behind it have something to bring to its end.
HOLDS_UP_S = 2.0
# How often a wait for a thread lets the main thread look at its signals.
TURN_S = 0.1


# Called with the name of a service that runs no more, and what it raised, if it did.
OnFatal = Callable[[str, BaseException | None], None]


class Service(Protocol):
    """A part with a thread of its own; `run` returns when `stop` is set."""

    @property
    def name(self) -> str: ...

    @property
    def is_vital(self) -> bool:
        """Yes means that the daemon ends when this service fails."""
        ...

    def run(self, stop: Stop) -> None: ...


class Supervised:
    """One service with its thread, its stop and its heart."""

    def __init__(self, service: Service, *, on_fatal: OnFatal, health: Health) -> None:
        self.service = service
        self.stop = Stop()
        self.heart = Heart()
        self._on_fatal = on_fatal
        self._health = health
        self._told = ""
        # A daemon thread, so that one that hangs cannot keep the process alive.
        self.thread = threading.Thread(target=self._run, name=service.name, daemon=True)

    def _run(self) -> None:
        """No thread ends without a word: its heart is not looked at any more then."""
        self.heart.bind()
        try:
            self._keep_running()
        except BaseException as error:
            self._on_fatal(self.service.name, error)
            raise

    def _keep_running(self) -> None:
        backoff = Backoff()
        while not self.stop.is_set:
            started = time.monotonic()
            error = self._run_once()
            if self.stop.is_set:
                return
            if self.service.is_vital:
                self._on_fatal(self.service.name, error)
                return
            if time.monotonic() - started > HEALTHY_AFTER_S:
                backoff.reset()
                self._told = ""
            self._rest(error, backoff.next_s())

    def _run_once(self) -> BaseException | None:
        self._health.forget(self.service.name)
        try:
            self.service.run(self.stop)
        except MalexbotError as error:
            return error
        except ANYTHING as error:
            log.error("%s failed", self.service.name, exc_info=True)
            return error
        return None

    def _rest(self, error: BaseException | None, wait_s: float) -> None:
        name, reason = self.service.name, str(error or "ended by itself")
        self._health.tell(name, reason, is_ready=False)
        if reason != self._told:
            self._told = reason
            log.warning("%s: %s; it is tried again until it works", name, reason)
        self.stop.wait(max(wait_s, LEAST_WAIT_S))


class Supervisor:
    """Starts services in order and stops them in reverse."""

    def __init__(self, *, on_fatal: OnFatal, health: Health) -> None:
        self._on_fatal = on_fatal
        self._health = health
        self._running: list[Supervised] = []

    def start(self, service: Service) -> None:
        supervised = Supervised(service, on_fatal=self._on_fatal, health=self._health)
        self._running.append(supervised)
        supervised.thread.start()

    def stop(
        self, deadline: Deadline, *, turn: Callable[[], None] = lambda: None
    ) -> list[str]:
        """Stop the last started first; returns the names of what did not end in time.

        `turn` is called again and again while a thread is waited for.
        """
        for supervised in reversed(self._running):
            supervised.stop.set(deadline)
            # The deadline itself, which may end before its time.
            is_patient = supervised.service.is_vital
            briefly = Deadline(min(deadline.left_s, HOLDS_UP_S))
            _join(supervised.thread, deadline if is_patient else briefly, turn)
        for supervised in self._running:
            _join(supervised.thread, deadline, turn)
            self._health.forget(supervised.service.name)
        left = [s.service.name for s in self._running[::-1] if s.thread.is_alive()]
        self._running.clear()
        return left

    def hearts(self) -> Iterator[tuple[threading.Thread, Heart]]:
        """The threads that should be at work, with their hearts."""
        for supervised in self._running:
            if supervised.thread.is_alive():
                yield supervised.thread, supervised.heart


def _join(
    thread: threading.Thread, deadline: Deadline, turn: Callable[[], None]
) -> None:
    while thread.is_alive():
        turn()
        thread.join(min(TURN_S, deadline.left_s))
        if deadline.is_over:
            break
