"""The VK community that malexbot is, and what it does there."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, field_validator

from malexbot.config.address import ServerAddress, parse_address
from malexbot.config.fields import Block, Line, Sample, SecretWord, whole, whole_schema
from malexbot.config.processors import EventProcessors

API_BASE = "https://api.vk.com/method"
API_VERSION = "5.199"
MOST = 9_999_999_999

GroupId = Annotated[int, BeforeValidator(whole(1, MOST)), whole_schema(1, MOST)]


class Vk(Block):
    """The community that malexbot listens to, and what it does there."""

    blank_is_unset: ClassVar[bool] = True

    token: Annotated[SecretWord, Sample("", on=True)] = Field(
        description="The community's access token, with the rights to messages and to"
        " manage it (Manage > API usage > Access tokens)."
    )
    group_id: Annotated[GroupId, Sample(218730916, on=True)] = Field(
        description="The number of the community, without a sign before it."
    )
    api_base: ServerAddress = Field(
        default=API_BASE,
        description="Where VK's methods are; https://api.vk.ru/method does as well.",
    )
    api_version: Line = Field(
        default=API_VERSION, description="The version of the API that is spoken."
    )
    target_events_processors: Annotated[
        EventProcessors,
        Sample({"message_new": ["response"], "message_event": ["log"]}, on=True),
    ] = Field(
        default={},
        description="What is done on which event, by VK's names, in this order. An"
        " event has to be switched on too: Manage > API usage > Long Poll API."
        " `gap` tells that VK lost events.",
    )

    @field_validator("api_version")
    @classmethod
    def _a_version(cls, text: str) -> str:
        if not re.fullmatch(r"5\.[0-9]{1,4}", text):
            raise ValueError(f"needs a version such as {API_VERSION}")
        return text

    @property
    def api_url(self) -> str:
        """Where the methods are: https://host[:port]/method."""
        return parse_address(self.api_base).url("http", "")
