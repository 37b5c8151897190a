"""One thing that malexbot did, as the workstream log tells it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple

DROPPED = "dropped"
# How a person would see an outcome; any other is an error.
_LEVELS = {
    "done": logging.INFO,
    "ready": logging.INFO,
    "again": logging.WARNING,
    "expired": logging.WARNING,
    "not ready": logging.WARNING,
    DROPPED: logging.WARNING,
}


class Record(NamedTuple):
    """One thing that was done, by ids; "" and None stand for what there is none of."""

    at: float
    """Unix seconds."""
    who: str
    """The processor, plugin or part that did it."""
    what: str
    """run, chat.post, redis, http, keep, part, …"""
    outcome: str
    """done, again, dead, expired, rejected, dropped; of a part, ready or not ready."""
    took_s: float | None = None
    note: str = ""
    to: str = ""
    """Where it was sent to."""
    job: int | None = None
    parent: int | None = None
    """The job that asked for this one: its record names the event."""
    attempt: int | None = None
    event_id: str = ""
    event_type: str = ""
    source: str = ""
    user: int | str = ""
    peer: int | str = ""

    @property
    def level(self) -> int:
        return _LEVELS.get(self.outcome, logging.ERROR)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; each key is always there."""
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds")
        ms = None if self.took_s is None else round(self.took_s * 1000, 1)
        told = {"time": at.replace("+00:00", "Z"), **self._asdict()}
        del told["at"], told["took_s"]
        return {k: None if v == "" else v for k, v in told.items()} | {"ms": ms}

    def line(self) -> str:
        """For the eye: what, how it ended, and all ids that there are."""
        told = self.as_dict()
        ms = told.pop("ms")
        for name in ("time", "who", "what", "outcome", "note"):
            del told[name]
        took = "" if ms is None else f" in {ms:g} ms"
        ids = "".join(f" {k}={v}" for k, v in told.items() if v is not None)
        note = f": {self.note}" if self.note else ""
        return f"{self.what} {self.outcome}{took}{ids}{note}"
