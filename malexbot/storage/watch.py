"""Cuts the line under a statement that nobody will ever answer.

A dead host is the kernel's to notice, a long statement the server's. Neither helps
against a server or a proxy that is frozen, or that lost the way to its own server.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection

from malexbot.runtime.stop import Stop
from malexbot.storage.session import Session

log = logging.getLogger(__name__)

_LOOK_S = 1.0


class Watch:
    """One thread that looks after the sessions of one owner."""

    def __init__(self, sessions: Callable[[], Collection[Session]]) -> None:
        self._sessions = sessions
        self._stop = Stop()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Idempotent; also after a stop, which is for good."""
        with self._lock:
            if self._thread is None and not self._stop.is_set:
                self._thread = threading.Thread(
                    target=self._run, name="database-watch", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        with self._lock:
            if self._thread is not None:
                self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            for session in self._sessions():
                if session.is_overdue:
                    log.warning("the database did not answer in time: line cut")
                    session.cut()
