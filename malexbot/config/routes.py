"""The rules by which events are handed on, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from malexbot.config.fields import (
    ONE_OR_MORE,
    Block,
    Duration,
    Line,
    Sample,
    different,
    several,
)
from malexbot.config.rules import ConditionText, TemplateText

# Where a message can be said, and all that somebody delivers to by now.
CHATS = ("mattermost", "vk")
DELIVERED = (*CHATS, "redis", "http")
TOLD = "{{ event.user.nick or event.user.name }}: {{ event.message.text }}"
# A longer history than this no queue should hold.
LONGEST_S = 30 * 86400.0

_TARGET = re.compile(r"([a-z]+):.*\S.*")


def scheme_of(target: str) -> str:
    """What kind of target it is: `redis` of redis:commands."""
    return target.partition(":")[0]


def _delivered(target: str) -> str:
    """Refuses what nobody delivers to; the value is not told: it may be a secret."""
    scheme = scheme_of(target) if _TARGET.fullmatch(target) else ""
    *most, last = (f"{each}:NAME" for each in DELIVERED)
    known = f"{', '.join(most)} or {last}"
    if scheme in DELIVERED:
        return target
    raise ValueError(f"needs a target: {known}")


def _at_most_a_month(seconds: float) -> float:
    if seconds > LONGEST_S:
        raise ValueError("needs a duration of 30 days at most")
    return seconds


Patience = Annotated[Duration, AfterValidator(_at_most_a_month)]
Target = Annotated[TemplateText, AfterValidator(_delivered)]
Targets = Annotated[
    tuple[Target, ...],
    BeforeValidator(several),
    AfterValidator(different),
    ONE_OR_MORE,
]


class RouteRule(Block):
    """One rule: which events it takes, and to whom they go."""

    name: Line = Field(description="What the log and `malexbot route test` call it.")
    when: ConditionText = Field(
        default="", description="What must hold of the event; empty takes every one."
    )
    to: Targets = Field(
        description="The targets, one or a list: mattermost:ID is the channel of that"
        " ID, vk:ID the conversation, redis:NAME a stream, http:NAME what has that"
        " name below `http`. What stands in {{ }} is filled in.",
    )
    text: TemplateText = Field(
        default=TOLD,
        description="What is said in a channel, filled in likewise. What is filled in"
        " pings nobody by @all and the like, what is written here does.",
    )
    goes_on: bool = Field(
        default=False,
        alias="continue",
        description="Ask the rules below too; without it the first that fits is the"
        " last.",
    )

    @field_validator("name", "to")
    @classmethod
    def _there_is_one(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not value:
            raise ValueError("needs at least one word")
        return value


def _named(rules: Sequence[RouteRule]) -> Sequence[RouteRule]:
    """One that is written twice could not be told from the other."""
    names = [rule.name for rule in rules]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"needs a name of its own for each rule; twice: {twice}")
    return rules


Routes = Annotated[
    tuple[RouteRule, ...],
    AfterValidator(_named),
    Sample(
        [
            {
                "name": "incidents",
                "when": "'outage' in event.message.text",
                "to": ["mattermost:id-of-the-channel"],
                "continue": True,
            }
        ]
    ),
]


def unreachable(rules: Sequence[RouteRule]) -> Iterator[tuple[int, str]]:
    """The places of the rules that are never asked, and who takes all before them."""
    taker = ""
    for place, rule in enumerate(rules):
        if taker:
            yield place, taker
        elif not rule.when.strip() and not rule.goes_on:
            taker = rule.name


class Routing(Block):
    """What holds of every rule, and of what no rule takes."""

    default: Annotated[Targets, Sample(["mattermost:id-of-the-channel"])] = Field(
        default=(), description="The targets of what no rule takes; none by default."
    )
    strict: bool = Field(
        default=False,
        description="What no rule takes, and no default, is an error: a dead job, which"
        " `malexbot jobs` shows and can retry.",
    )
    max_age: Patience = Field(
        default=86400.0, description="What is older when it comes in is not routed."
    )
    give_up_after: Patience = Field(
        default=86400.0,
        description="How long a target is tried; then the job expires. Buttons do so"
        " after 50 s in any case: who pressed waits no longer.",
    )
