"""Secrets by a name: of slash commands and of webhooks, as the server shows them.

Each is written as it is, or as a block whose secret may be in a file of its own:
`deploy: {token_file: /etc/malexbot/deploy.token}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from malexbot.config.address import parse_address
from malexbot.config.fields import Block, Secret, SecretWord

# Of a command, in one team alone if that stands before it.
_COMMAND = re.compile(r"([a-z0-9_-]+/)?[^\s/]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Token(Block):
    """By which a call shows that Mattermost makes it."""

    token: SecretWord = Field(description="As the server shows it where it was made.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"token": value} if isinstance(value, str) else value


class Webhook(Block):
    """The address of an incoming webhook; who knows it may post by it."""

    url: Secret = Field(description="As the server shows it where it was made.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value().strip()
        address = parse_address(text)
        if address.secure is None or not address.path:
            raise ValueError("needs a whole address: https://…/hooks/…")
        return SecretStr(text)


def _named(pattern: re.Pattern[str], needs: str, prefix: str = "") -> BeforeValidator:
    """A map whose keys are such names; what has no value is not set."""

    def names(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"needs a map: {needs}")
        told = {
            str(name).removeprefix(prefix): part
            for name, part in value.items()
            if part is not None
        }
        if not all(pattern.fullmatch(name) for name in told):
            raise ValueError(f"needs names such as {needs}")
        return told

    return BeforeValidator(names)


def _schema(name: str) -> WithJsonSchema:
    text = {"type": "string"}
    block = {
        "type": "object",
        "properties": {name: text, f"{name}_file": text},
        "additionalProperties": False,
    }
    many = {"anyOf": [text, block, {"type": "null"}]}
    return WithJsonSchema({"type": "object", "additionalProperties": many})


CommandTokens = Annotated[
    Mapping[str, Token],
    _named(_COMMAND, "`deploy: …`, or `team/deploy: …`", prefix="/"),
    _schema("token"),
]
HookTokens = Annotated[Mapping[str, Token], _named(_NAME, "`ops: …`"), _schema("token")]
IncomingWebhooks = Annotated[
    Mapping[str, Webhook], _named(_NAME, "`ops: https://…`"), _schema("url")
]

__all__ = ["CommandTokens", "HookTokens", "IncomingWebhooks", "Token", "Webhook"]
