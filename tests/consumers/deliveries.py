"""Jobs to deliver an event, as the queue gives them."""

from __future__ import annotations

from typing import Any

from malexbot.consumers.target import Line
from malexbot.pipeline.hold import Hold
from malexbot.ports import Job


def delivery(key: str = "k1", to: str = "redis:command", event: Any = None) -> Job:
    told = {"text": f"said {key}"} if event is None else event
    return Job(
        id=1,
        key=key,
        kind=to.partition(":")[0],
        name=to,
        lane=to,
        event=None,
        payload={"event": told, "id": f"event-{key}", "schema": 1},
        attempts=1,
        failures=0,
        left_s=None,
        sent_ago_s=None,
        epoch=1,
    )


def hold(lease_s: float = 60.0) -> Hold:
    return Hold(lease_s=lease_s, time_out_s=30.0)


def sent(line: Line, job: Job) -> str:
    """Hand over one; the word that the target had for it."""
    (note,) = line.send([job])
    return note
