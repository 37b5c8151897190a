"""Tells systemd that we are alive, as long as no thread of ours hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from malexbot.runtime.heart import Heart
from malexbot.runtime.stacks import stack_of
from malexbot.runtime.systemd import Notifier

log = logging.getLogger(__name__)

Hearts = Callable[[], Iterable[tuple[threading.Thread, Heart]]]


class Watchdog:
    """Turned by the main thread: pings at a third of the time that systemd allows."""

    def __init__(self, notifier: Notifier, hearts: Hearts) -> None:
        self._notifier = notifier
        self._hearts = hearts
        self._allowed_s = notifier.watchdog_s
        self._next_at = 0.0
        self._told: set[str] = set()

    def turn(self) -> None:
        now = time.monotonic()
        if self._allowed_s is None or now < self._next_at:
            return
        self._next_at = now + self._allowed_s / 3
        stuck = [
            thread
            for thread, heart in self._hearts()
            if heart.silent_s() > self._allowed_s / 2
        ]
        if not stuck:
            self._notifier.alive()
        for thread in stuck:
            self._tell(thread)
        self._told &= {thread.name for thread in stuck}

    def _tell(self, thread: threading.Thread) -> None:
        if thread.name not in self._told:
            self._told.add(thread.name)
            log.error(
                "thread %s hangs, systemd will restart us; it stands at\n%s",
                thread.name,
                stack_of(thread.ident),
            )
