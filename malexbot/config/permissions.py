"""Who may use what plugins offer, as the operator says, and what may call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from malexbot.config.fields import Block, Names, Secret

# A secret that is shorter can be guessed by whoever has time.
LEAST_SECRET = 16

_PATH = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Permission(Block):
    """Who may use it and where; what is left out allows everybody, everywhere."""

    users: Names = Field(
        default=(), description="Only these people: user names or ids."
    )
    roles: Names = Field(
        default=(), description="And the people of these roles; `roles` has them."
    )
    channels: Names = Field(
        default=(), description="Only in these channels: ids or names."
    )


class Webhook(Block):
    """A plugin's own address, and how its caller proves himself."""

    secret: Secret = Field(
        description="What the caller signs with (GitHub, Gitea), or shows: as the"
        " header X-Gitlab-Token, as `Authorization: Bearer …`, or as `?token=…`."
    )

    @field_validator("secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().strip()) < LEAST_SECRET:
            raise ValueError(f"needs {LEAST_SECRET} characters: `openssl rand -hex 16`")
        return SecretStr(secret.get_secret_value().strip())


def _without_slash(value: Any) -> Any:
    """`/github` and `github` are the same address."""
    if not isinstance(value, Mapping):
        return value
    hooks = {str(name).strip("/"): block for name, block in value.items()}
    for name in hooks:
        if not _PATH.fullmatch(name):
            raise ValueError("needs names of small letters, digits, - and _: `github`")
    return hooks


Roles = Mapping[str, Names]
Permissions = Mapping[str, Permission]
Webhooks = Annotated[Mapping[str, Webhook], BeforeValidator(_without_slash)]
