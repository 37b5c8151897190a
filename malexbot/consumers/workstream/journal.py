"""Tells the workstream log in malexbot's own: one line a record, with its fields."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from malexbot.runtime.logs import ids
from malexbot.runtime.record import Record

log = logging.getLogger("malexbot.workstream")


class Journal:
    """Each is a line of the level INFO, with `log.format: json` an object."""

    name = "the journal"
    most = 500

    def write(self, records: Sequence[Record]) -> None:
        for record in records:
            fields = record.as_dict()
            told = {k: v for k, v in fields.items() if k != "time" and v is not None}
            with ids(**told):
                log.info("%s", record.outcome)

    def close(self) -> None:
        """The log stays open."""
