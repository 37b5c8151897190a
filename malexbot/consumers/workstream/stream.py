"""Tells the workstream log in a stream of Redis, which is cut off at its bound.

An entry has the fields `record` (JSON) and `schema`, the number of its form.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from malexbot.config.targets import Redis
from malexbot.consumers.line import asking, connect_as_set
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import TIME_OUT_S

SCHEMA = 1


class Stream:
    """One journey a batch."""

    most = 500

    def __init__(
        self, name: str, settings: Redis, stream: str, *, max_entries: int
    ) -> None:
        self.name = name
        time_out = min(settings.time_out, TIME_OUT_S)
        self._client = connect_as_set(
            settings.model_copy(update={"time_out": time_out})
        )
        self._stream = settings.prefix + stream
        self._max_entries = max_entries

    def write(self, records: Sequence[Record]) -> None:
        with asking(), self._client.pipeline(transaction=False) as pipeline:
            for record in records:
                pipeline.xadd(
                    self._stream,
                    {"record": orjson.dumps(record.as_dict()), "schema": SCHEMA},
                    maxlen=self._max_entries,
                    approximate=True,
                )
            pipeline.execute()

    def close(self) -> None:
        self._client.close()
