"""Where events are delivered to: a Redis, and services that take HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from malexbot.config.address import parse_address
from malexbot.config.fields import (
    Block,
    Duration,
    Folder,
    Line,
    Sample,
    Secret,
    SecretWord,
    lowered,
)
from malexbot.config.routes import Patience

# A secret that is shorter can be guessed by whoever has time.
LEAST_SECRET = 16
# What no operator waits for, and no lease outlasts.
LONGEST_TIME_OUT_S = 15.0
# More of them make nothing quicker, and hold up what comes meanwhile.
MOST_AT_ONCE = 1000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NO_URL = "needs an address such as redis://localhost:6379/0, rediss://… or unix://…"


# What stands there holds of every target that is no chat.
_GIVE_UP_AFTER: Any = Field(
    default=None,
    description="How long an event is tried there; by default `routing.give_up_after`.",
)
_RATE: Any = Field(
    default=None, gt=0, description="At most so many events a second go there."
)


def _short(seconds: float) -> float:
    if not 0 < seconds <= LONGEST_TIME_OUT_S:
        raise ValueError(f"needs a time up to {LONGEST_TIME_OUT_S:g}s")
    return seconds


class Redis(Block):
    """The Redis or Valkey, 6.2 or later, that events are handed over by."""

    blank_is_unset: ClassVar[bool] = True

    url: Annotated[Line, Sample("redis://localhost:6379/0", on=True)] = Field(
        default="redis://localhost:6379/0",
        description="Where it is: redis://host:port/number, rediss:// for TLS, or"
        " unix:///path.",
    )
    username: Annotated[Line | None, Sample("malexbot")] = Field(
        default=None, description="Who malexbot is to it, if it has an ACL."
    )
    password: Annotated[Secret | None, Sample("")] = Field(
        default=None, description="That user's password."
    )
    ca_file: Annotated[Folder | None, Sample("/etc/ssl/redis.pem")] = Field(
        default=None,
        description="The certificates to trust with rediss://, if not the system's.",
    )
    mode: Annotated[Literal["streams", "pubsub"], BeforeValidator(lowered)] = Field(
        default="streams",
        description="`streams` keep events until they are read; `pubsub` tells those"
        " who listen at that moment, and nobody else.",
    )
    prefix: Line = Field(
        default="",
        description="What stands before the name of each stream and channel.",
    )
    max_entries: int = Field(
        default=1_000_000,
        ge=0,
        description="What all who read a stream have done is cut off. Beyond so many"
        " entries the oldest go, read or not, which is told as the loss that it is."
        " 0 sets no bound; a full Redis stops the deliveries.",
    )
    remember: Duration = Field(
        default=86400.0,
        ge=60,
        description="How long Redis knows what was delivered, and never shorter than"
        " it is tried: what is sent again within that time adds nothing.",
    )
    time_out: Duration = Field(
        default=5.0, description="How long it may take to answer."
    )
    give_up_after: Annotated[Patience | None, Sample("1h")] = _GIVE_UP_AFTER
    rate: Annotated[float | None, Sample(500)] = _RATE
    batch: int = Field(
        default=100,
        ge=1,
        le=MOST_AT_ONCE,
        description="At most so many events of a stream are handed over in one go.",
    )

    _is_short = field_validator("time_out")(_short)

    @field_validator("url")
    @classmethod
    def _an_address(cls, text: str) -> str:
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError(_NO_URL) from None
        if "@" in parts.netloc:
            raise ValueError("has a user in it: write `username` and `password`")
        is_unix = parts.scheme == "unix" and parts.path
        if not is_unix and not (parts.scheme in ("redis", "rediss") and host):
            raise ValueError(_NO_URL)
        if parts.query or not re.fullmatch(r"(/\d*)?", "" if is_unix else parts.path):
            raise ValueError(_NO_URL)
        return text


class HttpTarget(Block):
    """A service that events are posted to."""

    blank_is_unset: ClassVar[bool] = True

    url: Secret = Field(description="Where to, whole: https://host/path.")
    secret: Secret | None = Field(
        default=None, description="What each delivery is signed with."
    )
    token: SecretWord | None = Field(
        default=None, description="What is sent along as `Authorization: Bearer …`."
    )
    ca_file: Folder | None = Field(
        default=None,
        description="The certificates to trust; by default the system's.",
    )
    time_out: Duration = Field(
        default=10.0, description="How long it may take to answer."
    )
    give_up_after: Annotated[Patience | None, Sample("1h")] = _GIVE_UP_AFTER
    rate: Annotated[float | None, Sample(500)] = _RATE
    batch: int = Field(
        default=1,
        ge=1,
        le=MOST_AT_ONCE,
        description="More than 1: what is posted is a list of up to so many events,"
        ' each `{"key": …, "event": …}`.',
    )

    _is_short = field_validator("time_out")(_short)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value().strip()
        if not text.lower().startswith(("https://", "http://")) or "#" in text:
            raise ValueError("needs a whole address: https://host/path")
        parse_address(text.partition("?")[0])
        return SecretStr(text)

    @field_validator("secret")
    @classmethod
    def _is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret and len(secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"needs {LEAST_SECRET} characters: `openssl rand -hex 16`")
        return secret


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        for name in value:
            if not _NAME.fullmatch(str(name)):
                raise ValueError("needs names of letters, digits, _, . and -")
    return value


HttpTargets = Annotated[Mapping[str, HttpTarget], BeforeValidator(_named)]

__all__ = ["HttpTarget", "HttpTargets", "Redis"]
