"""The rules by which the bot answers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from malexbot.config.fields import Block, Duration, Line, Sample
from malexbot.config.rules import ConditionText, TemplateText

# What was said is remembered as long as the jobs that said it.
LONGEST_COOLDOWN_S = 86400.0
LONGEST_AGE_S = 86400.0


def _emoji(name: str) -> str:
    name = name.strip(":")
    if not re.fullmatch(r"[a-z0-9_+-]{1,64}", name):
        raise ValueError("needs the name of an emoji, such as eyes or white_check_mark")
    return name


def _at_most_a_day(seconds: float) -> float:
    if seconds > LONGEST_AGE_S:
        raise ValueError("needs a duration of a day at most")
    return seconds


Brief = Annotated[Duration, AfterValidator(_at_most_a_day)]


class ResponseRule(Block):
    """One rule: to what is answered, and how."""

    when: ConditionText = Field(
        default="",
        description="What must hold of the event; empty answers everything.",
    )
    reply: TemplateText = Field(
        default="",
        description="The answer; {{ event.… }} in it is filled in, and pings nobody by"
        " @all and the like.",
    )
    react: Annotated[Line, AfterValidator(_emoji)] | None = Field(
        default=None, description="An emoji to put on the message."
    )
    thread: bool = Field(
        default=False,
        description="Answer in a thread below the message; without it, in the channel,"
        " or in the thread that the message is in.",
    )
    direct: bool = Field(
        default=False, description="Answer in direct messages to the bot too."
    )
    bots: bool = Field(default=False, description="Answer other bots too.")
    cooldown: Brief = Field(
        default=0.0,
        description="How long the rule is silent in a channel after an answer.",
    )
    max_age: Brief = Field(
        default=600.0, description="What is older, by then, is not answered."
    )

    @model_validator(mode="after")
    def _does_something(self) -> ResponseRule:
        if not self.reply and not self.react:
            raise ValueError("needs `reply`, `react` or both")
        return self


Responses = Annotated[
    tuple[ResponseRule, ...],
    Sample(
        [
            {
                "when": "'ping' in event.message.text",
                "reply": "pong, {{ event.user.nick }}",
                "react": "eyes",
                "thread": True,
            }
        ]
    ),
]
