"""What was missed, or was there before malexbot was: how it is fetched."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from malexbot.config.fields import Block, Duration, Line, Sample, read_duration

# Below this the daemon does nothing else.
SHORTEST_EVERY_S = 10.0
_FORM = "needs a date such as 2024-12-31, a time such as 2024-12-31T18:00Z, or 90d"


def _moment(value: Any) -> Any:
    """A date that YAML has understood is text again."""
    return value.isoformat() if isinstance(value, date) else value


def _readable(text: str) -> str:
    since_ms(text, now_ms=0)
    return text


def _not_too_often(every_s: float) -> float:
    if every_s < SHORTEST_EVERY_S:
        raise ValueError("needs a duration of 10s at least")
    return every_s


def since_ms(text: str, *, now_ms: int) -> int:
    """A moment in milliseconds; a duration is so long before now. UTC unless told."""
    try:
        if text[-1:].isalpha() and not text.endswith("Z"):
            return now_ms - round(read_duration(text) * 1000)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_FORM) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


Moment = Annotated[Line, BeforeValidator(_moment), AfterValidator(_readable)]


class Backfill(Block):
    """How far back, and how often it is looked for something new."""

    every: Annotated[Duration, AfterValidator(_not_too_often)] = Field(
        default=600.0,
        description="How often every channel is looked at; what was missed is also"
        " fetched at the start and after each broken connection.",
    )
    since: Annotated[Moment | None, Sample("90d")] = Field(
        default=None,
        description="How far back the history is fetched: a date, a time, or a duration"
        " such as 90d; without it, all of it.",
    )
