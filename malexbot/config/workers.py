"""Who does the jobs, and within which limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from malexbot.config.fields import Block, Duration, whole, whole_schema


class Workers(Block):
    """How many jobs at once, for how long, and how much may be said."""

    threads: Annotated[int, BeforeValidator(whole(1, 64)), whole_schema(1, 64)] = Field(
        default=8, description="How many jobs are done at the same time."
    )
    handler_timeout: Duration = Field(
        default=60.0,
        description="A processor that takes longer is given up.",
    )
    answers_per_minute: Annotated[
        int, BeforeValidator(whole(1, 1000)), whole_schema(1, 1000)
    ] = Field(
        default=30,
        description="The most that is said in a channel within a minute."
        " More would be two bots that answer each other for ever.",
    )
