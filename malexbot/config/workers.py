"""Who does the jobs, and within which limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from malexbot.config.fields import Block, Duration, whole, whole_schema
from malexbot.config.targets import LONGEST_TIME_OUT_S

# Whoever hands an event over may need so long: to connect, and to be answered.
SHORTEST_S = 2 * LONGEST_TIME_OUT_S


def _enough_to_send(seconds: float) -> float:
    if seconds < SHORTEST_S:
        raise ValueError(f"needs a duration of {SHORTEST_S:g}s at least")
    return seconds


class Workers(Block):
    """How many jobs at once, for how long, and how much may be said."""

    threads: Annotated[int, BeforeValidator(whole(1, 64)), whole_schema(1, 64)] = Field(
        default=8, description="How many jobs are done at the same time."
    )
    handler_timeout: Annotated[Duration, AfterValidator(_enough_to_send)] = Field(
        default=60.0,
        description="A processor that takes longer is given up. It is half a minute at"
        " least: so long it may take to hand an event over.",
    )
    answers_per_minute: Annotated[
        int, BeforeValidator(whole(1, 1000)), whole_schema(1, 1000)
    ] = Field(
        default=30,
        description="The most that is said in a channel within a minute."
        " More would be two bots that answer each other for ever.",
    )
