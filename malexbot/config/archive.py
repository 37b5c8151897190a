"""What the archive keeps, beyond the words that the messenger's block names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from malexbot.config.fields import Block, Sample
from malexbot.config.rules import ConditionText


class Archive(Block):
    """Which posts are kept."""

    when: Annotated[
        ConditionText, Sample("not event.post.is_system and event.user.nick != 'ci'")
    ] = Field(
        default="",
        description="Keep only posts for which this holds too; empty keeps all.",
    )
