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

# Of the key that was to be written; what else it says is of Redis, and is waited out.
_OF_THE_KEY = re.compile(r"\bWRONGTYPE\b")
_FORBIDDEN = ("NOPERM", "ACL failure")
_GONE = re.compile(r"\b(NOGROUP|UNBLOCKED)\b")
_HINTS = {
    "OOM": "Redis is full",
    "LOADING": "Redis is starting",
    "READONLY": "this Redis is a replica",
    "NOPERM": "the user may not do that in Redis",
    "ACL failure": "the user may not do that in Redis",
    "MISCONF": "Redis cannot write to its disk",
    "MOVED": "another Redis of the cluster has that",
}
# Scripts tell it inside of their own words.
_HINTED = re.compile(rf"\b({'|'.join(_HINTS)})\b")


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
    if hinted := _HINTED.search(text):
        kind = Closed if hinted[1] in _FORBIDDEN else Away
        return kind(f"{_HINTS[hinted[1]]}: {text}")
    if _GONE.search(text):
        return Gone(text)
    is_ours = isinstance(error, redis.DataError) or _OF_THE_KEY.search(text)
    return (Permanent if is_ours else Away)(f"Redis: {text}")


def _told(error: redis.RedisError) -> str:
    """Its words, not ours; the client has cut the code off, its class by now."""
    code = getattr(error, "status_code", None) or _CODES.get(type(error), "")
    words, _, _ = str(error).partition(", with args beginning with")
    text = " ".join(words.split())[:200] or type(error).__name__
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
    redis.exceptions.AskError: "ASK",
}
