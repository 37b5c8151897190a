"""What a job to deliver an event holds: the event as plain values, and where it goes.

Its payload has `event`, `id` and `schema`; `to` is the target if its lane has another
name, as that of buttons has, which never wait behind messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from malexbot.errors import Permanent
from malexbot.ports import Job

# The kinds of these jobs; what stands behind it in the target is a stream, or a name
# below `http`.
REDIS = "redis"
HTTP = "http"


def place(job: Job) -> str:
    """What stands behind the kind in its target: `moderation` of http:moderation."""
    target: str = job.payload.get("to", job.name)
    return target.partition(":")[2]


def body(payload: Mapping[str, Any]) -> bytes:
    """The event as JSON."""
    try:
        return orjson.dumps(payload["event"])
    except TypeError as error:
        raise Permanent(f"the event is no JSON: {error}") from None
