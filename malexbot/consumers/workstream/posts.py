"""Tells the workstream log by HTTP: a POST of a list of records, signed as events."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from malexbot.config.targets import HttpTarget
from malexbot.consumers.http import HttpLine
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import TIME_OUT_S, Unsent

SCHEMA = 1


class Posts:
    """One request a batch."""

    most = 500

    def __init__(self, name: str, target: str, settings: HttpTarget) -> None:
        self.name = name
        self._step_s = 1 / settings.rate if settings.rate else 0.0
        self._next_at = 0.0
        own = {"time_out": min(settings.time_out, TIME_OUT_S), "rate": None}
        self._line = HttpLine(target, settings.model_copy(update=own))

    def write(self, records: Sequence[Record]) -> None:
        if (wait_s := self._next_at - time.monotonic()) > 0:
            raise Unsent("it takes no more for now", wait_s)
        self._next_at = time.monotonic() + self._step_s
        told = [record.as_dict() for record in records]
        payload = {"event": told, "schema": SCHEMA}
        self._line.post(payload, key=str(uuid.uuid4()))

    def close(self) -> None:
        self._line.close()
