"""What the archive keeps, beyond the words that the messenger's block names."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from malexbot.config.fields import Block, Duration, Sample
from malexbot.config.rules import ConditionText

# What happened within a day is needed to do nothing twice.
SHORTEST_S = 86_400.0


def _a_day_at_least(keep_s: float) -> float:
    if keep_s < SHORTEST_S:
        raise ValueError("needs a duration of 1d at least")
    return keep_s


class Archive(Block):
    """Which posts are kept, and for how long."""

    when: Annotated[
        ConditionText, Sample("not event.post.is_system and event.user.nick != 'ci'")
    ] = Field(
        default="",
        description="Keep only posts for which this holds too; empty keeps all.",
    )
    retention: Annotated[
        Annotated[Duration, AfterValidator(_a_day_at_least)] | None, Sample("365d")
    ] = Field(
        default=None,
        description="How old a post may become; then it is deleted here, and no"
        " backfill brings it back. Without it, all is kept for ever.",
    )
