"""The settings of what events are delivered to."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from malexbot.config.targets import HttpTarget, HttpTargets, Redis

HTTP = TypeAdapter(HttpTargets)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://10.0.0.1:6380/3",
        "rediss://[::1]:6380",
        "unix:///run/redis.sock",
    ],
)
def test_a_redis_is_named_by_its_address(url: str) -> None:
    assert Redis(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost",
        "redis://",
        "redis://localhost:x",
        "redis://localhost/news",
        "redis://localhost?db=3",
        "unix://",
    ],
)
def test_what_is_no_redis_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="needs an address such as redis://"):
        Redis(url=url)


def test_a_password_does_not_stand_in_an_address() -> None:
    with pytest.raises(
        ValidationError, match="write `username` and `password`"
    ) as told:
        Redis(url="redis://bot:s3cret@localhost")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("seconds", [0, "16s", "1h"])
def test_no_time_out_outlasts_a_lease(seconds: Any) -> None:
    with pytest.raises(ValidationError, match="needs a time up to 15s"):
        Redis(time_out=seconds)
    with pytest.raises(ValidationError, match="needs a time up to 15s"):
        HttpTarget(url="https://example.org", time_out=seconds)


def test_a_target_may_be_its_address_alone() -> None:
    targets = HTTP.validate_python(
        {"a": "https://example.org/x?y=z", "b": {"url": "http://localhost:8080"}}
    )
    assert targets["a"].url.get_secret_value() == "https://example.org/x?y=z"
    assert targets["b"].secret is None


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("example.org", "needs a whole address"),
        ("ftp://example.org", "needs a whole address"),
        ("https://", "needs the name of a server"),
        ("https://anna:secret@example.org", "has a user or a password"),
        ({"url": "https://example.org", "secret": "short"}, "needs 16 characters"),
        ({"url": "https://example.org", "token": "two words"}, "needs one word"),
        ({"url": "https://example.org", "rate": 0}, "greater than 0"),
    ],
)
def test_what_cannot_be_a_target_is_refused(target: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        HTTP.validate_python({"a": target})


def test_a_line_end_and_what_is_left_blank_are_no_token() -> None:
    target = HttpTarget(url="https://example.org", token=" abc\n")
    assert target.token and target.token.get_secret_value() == "abc"
    assert HttpTarget(url="https://example.org", token="", secret="").token is None


def test_a_target_has_a_plain_name() -> None:
    with pytest.raises(ValidationError, match="needs names of letters"):
        HTTP.validate_python({"a b": "https://example.org"})
