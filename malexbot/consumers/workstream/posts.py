"""Tells the workstream log by HTTP: a POST of a list of records, signed as events."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from malexbot.config.targets import HttpTarget
from malexbot.consumers.http import HttpLine
from malexbot.pipeline.verdicts import Postponed
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import TIME_OUT_S, Unsent

SCHEMA = 1


class Posts:
    """One request a batch."""

    most = 500

    def __init__(self, name: str, target: str, settings: HttpTarget) -> None:
        self.name = name
        time_out = min(settings.time_out, TIME_OUT_S)
        self._line = HttpLine(
            target, settings.model_copy(update={"time_out": time_out})
        )

    def write(self, records: Sequence[Record]) -> None:
        told = [record.as_dict() for record in records]
        try:
            payload = {"event": told, "schema": SCHEMA}
            self._line.post(payload, key=str(uuid.uuid4()))
        except Postponed as error:
            raise Unsent(str(error), error.again.wait_s) from error

    def close(self) -> None:
        self._line.close()
