"""What comes round again and again; a job only submits, the work is a service's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timezone

from apscheduler.executors.debug import (  # type: ignore[import-untyped]
    DebugExecutor,
)
from apscheduler.schedulers.background import (  # type: ignore[import-untyped]
    BackgroundScheduler,
)
from apscheduler.triggers.interval import (  # type: ignore[import-untyped]
    IntervalTrigger,
)

from malexbot.runtime.stop import Stop

# How long the service rests before it looks up; it wakes at stop anyhow.
TURN_S = 3600.0
# Daemons that were started together shall not ask a server together for ever.
JITTER = 0.1

Submit = Callable[[], None]


class _Clockwork(BackgroundScheduler):  # type: ignore[misc]
    """APScheduler with one thread, which has our name and runs the jobs itself."""

    def start(self) -> None:
        super().start()
        self._thread.name = "clockwork"


class Scheduler:
    """A service that submits its jobs every so often, late rather than never."""

    name = "scheduler"
    is_vital = False

    def __init__(self) -> None:
        self._jobs: list[tuple[str, float, Submit]] = []

    def every(self, seconds: float, name: str, submit: Submit) -> None:
        """Before the start: call `submit` about every so often; it must not wait."""
        self._jobs.append((name, seconds, submit))

    def run(self, stop: Stop) -> None:
        # Its log tells each run of each job; what a job sets off tells itself.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        clockwork = self._build()
        clockwork.start()
        try:
            while not stop.wait(TURN_S):
                pass
        finally:
            clockwork.shutdown()

    def _build(self) -> _Clockwork:
        clockwork = _Clockwork(
            executors={"default": DebugExecutor()},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
            timezone=timezone.utc,
        )
        for name, seconds, submit in self._jobs:
            trigger = IntervalTrigger(seconds=seconds, jitter=seconds * JITTER)
            clockwork.add_job(submit, trigger, id=name, name=name)
        return clockwork
