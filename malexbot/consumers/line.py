"""The way to a Redis: its client, and what its errors mean for a repeat.

Nothing is repeated in here: whoever asks knows what may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from malexbot.config.targets import Redis
from malexbot.consumers.away import Away, Closed
from malexbot.errors import MalexbotError, Misconfigured, Permanent, Transient
from malexbot.runtime.heart import outside

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ModuleNotFoundError:
    raise Misconfigured(
        "the Python package redis is missing", "pip install 'malexbot[redis]'"
    ) from None

TIME_OUT_S = 5.0

# What passes: it is full, it starts, it is a replica, its disk fails, it is asked for
# a password that somebody is about to set. Scripts tell it inside of their own words.
_PASSES = re.compile(
    r"\b(OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|NOREPLICAS"
    r"|NOPERM|ACL failure|NOAUTH|WRONGPASS)\b"
)
_FORBIDDEN = ("NOPERM", "ACL failure")
_GONE = re.compile(r"\b(NOGROUP|UNBLOCKED)\b")
_HINTS = {
    "OOM": "Redis is full",
    "LOADING": "Redis is starting",
    "READONLY": "this Redis is a replica",
    "NOPERM": "the user may not do that in Redis",
    "ACL failure": "the user may not do that in Redis",
    "MISCONF": "Redis cannot write to its disk",
}


class Gone(Transient):
    """The stream or its group is not there any more."""


def connect(
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    ca_file: str | None = None,
    time_out_s: float = TIME_OUT_S,
) -> redis.Redis:
    """A client, safe to use from many threads; it connects when it is first asked."""
    more: dict[str, Any] = {"username": username, "password": password}
    if ca_file:
        more["ssl_ca_certs"] = ca_file
    return redis.Redis.from_url(
        url,
        socket_timeout=time_out_s,
        socket_connect_timeout=time_out_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **{name: value for name, value in more.items() if value is not None},
    )


def connect_as_set(settings: Redis) -> redis.Redis:
    """The client that the settings describe."""
    password = settings.password
    return connect(
        settings.url,
        username=settings.username,
        password=password.get_secret_value() if password else None,
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        time_out_s=settings.time_out,
    )


@contextmanager
def asking() -> Iterator[None]:
    """What Redis or the line to it says, in our errors."""
    try:
        with outside("Redis"):
            yield
    except redis.RedisError as error:
        raise _translated(error) from error


def _translated(error: redis.RedisError) -> MalexbotError:
    text = _told(error)
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return Away(f"Redis: {text}")
    if passes := _PASSES.search(text):
        hint = _HINTS.get(passes[1])
        kind = Closed if passes[1] in _FORBIDDEN else Away
        return kind(f"{hint}: {text}" if hint else f"Redis: {text}")
    return Gone(text) if _GONE.search(text) else Permanent(f"Redis: {text}")


def _told(error: redis.RedisError) -> str:
    """Its words; the client has cut the code off, which is its class by now."""
    code = getattr(error, "status_code", None) or _CODES.get(type(error), "")
    text = " ".join(str(error).split())[:200] or type(error).__name__
    return text if not code or code in text else f"{code} {text}"


_CODES: dict[type[Exception], str] = {
    redis.exceptions.OutOfMemoryError: "OOM",
    redis.exceptions.ReadOnlyError: "READONLY",
    redis.exceptions.BusyLoadingError: "LOADING",
    redis.exceptions.NoPermissionError: "NOPERM",
    redis.exceptions.MasterDownError: "MASTERDOWN",
    redis.exceptions.ClusterDownError: "CLUSTERDOWN",
    redis.exceptions.TryAgainError: "TRYAGAIN",
    redis.exceptions.MovedError: "MOVED",
}
