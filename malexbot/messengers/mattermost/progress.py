"""Tells how far a backfill is: in the log, and in STATUS."""

from __future__ import annotations

import logging
import threading
import time
from typing import NamedTuple

from malexbot.runtime.health import Health

log = logging.getLogger(__name__)

PART = "backfill"
# How often a long one is told in the log.
TOLD_EVERY_S = 10.0


class Report(NamedTuple):
    """Where it stands."""

    phase: str
    channel: str
    """The one that was read last; "" at the begin of a phase."""
    done: int
    total: int
    posts: int

    def __str__(self) -> str:
        return f"{self.phase}: {self.done} of {self.total} channels, {self.posts} posts"


class Progress:
    """Counts for all threads that read."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._lock = threading.Lock()
        self._report = Report("idle", "", 0, 0, 0)
        self._told_at = time.monotonic()
        self.state = ""
        """What was told last."""

    def begin(self, phase: str, total: int) -> None:
        with self._lock:
            self._told_at = time.monotonic()
            self._tell(Report(phase, "", 0, total, self._report.posts))

    def read(self, channel: str, posts: int) -> None:
        with self._lock:
            total = self._report.posts + posts
            self._tell(self._report._replace(channel=channel, posts=total))

    def finish(self, channel: str) -> None:
        with self._lock:
            done = self._report.done + 1
            self._tell(self._report._replace(channel=channel, done=done))

    def end(self, state: str, *, is_ready: bool = True) -> None:
        """A whole pass is over; what it read is told once."""
        with self._lock:
            if self._report.posts:
                log.info("backfill: %d posts read; %s", self._report.posts, state)
            self._report = Report("idle", "", 0, 0, 0)
        self._say(state, is_ready=is_ready)

    def _tell(self, report: Report) -> None:
        self._report = report
        self._say(str(report), is_ready=True)
        if time.monotonic() - self._told_at >= TOLD_EVERY_S:
            self._told_at = time.monotonic()
            log.info("backfill, %s, now in %s", report, report.channel)

    def _say(self, state: str, *, is_ready: bool) -> None:
        self.state = state
        self._health.tell(PART, state, is_ready=is_ready)
