"""The setting that is wrong is named, not always the address."""

from __future__ import annotations

import pytest

from malexbot.cli.culprit import culprit, culprit_of
from malexbot.config.workstream import receiver

WORDS = {
    "Redis: WRONGPASS invalid username-password pair": (
        "redis.username and redis.password"
    ),
    "Redis: invalid username-password pair or user is disabled.": (
        "redis.username and redis.password"
    ),
    "Redis: NOAUTH Authentication required.": "redis.password",
    "the user may not do that in Redis: NOPERM User bot has no permissions": (
        "redis.username"
    ),
    "Redis: ERR DB index is out of range": "redis.url",
    "certificate verify failed: self-signed certificate": "redis.ca_file",
    "certificate is not valid for 'a.example'": "redis.url",
    "Connection refused": "redis.url",
}


@pytest.mark.parametrize("told", WORDS)
def test_what_redis_says_tells_the_setting(told: str) -> None:
    assert culprit("redis", told) == WORDS[told]
    assert culprit_of(receiver("redis:work"), told) == WORDS[told]


def test_each_of_the_services_has_its_own() -> None:
    told = "its certificate is not trusted: self-signed certificate"
    assert culprit("http:a.b", told) == "http.a.b.ca_file"
    assert culprit_of(receiver("http:a.b"), "no answer in time") == "http.a.b.url"
    assert culprit_of(receiver("tcp:host:7560"), told) == "workstream.to"
    assert culprit_of(None, told) == "workstream.to"
