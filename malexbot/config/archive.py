"""What the archive keeps, beyond the words that the messenger's block names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from malexbot.config.fields import Block, Duration, Sample, Size, lowered
from malexbot.config.rules import ConditionText

# What happened within a day is needed to do nothing twice.
SHORTEST_S = 86_400.0
LARGEST_FILE = 100_000_000


def _a_day_at_least(keep_s: float) -> float:
    if keep_s < SHORTEST_S:
        raise ValueError("needs a duration of 1d at least")
    return keep_s


class Archive(Block):
    """Which posts are kept, with what, and for how long."""

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
    files: Annotated[Literal["ignore", "keep"], BeforeValidator(lowered)] = Field(
        default="ignore",
        description="What becomes of the files that hang on kept posts: `keep` fetches"
        " them into state_dir, those of before too.",
    )
    largest_file: Size = Field(
        default=LARGEST_FILE, description="What is larger is not fetched."
    )

    @property
    def keeps_files(self) -> bool:
        return self.files == "keep"
