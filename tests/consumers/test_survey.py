"""A survey tells how far the groups are, also while they go on."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from malexbot.config.targets import Redis
from malexbot.consumers.survey import Survey
from tests.support.redis import RedisServer

STREAM = "command"


def test_what_is_acknowledged_while_it_looks_is_done(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis tells first how many are held, and when asked for them there is none."""
    told = redis.Redis.xinfo_groups

    def xinfo_groups(self: redis.Redis, name: str) -> Any:
        groups = told(self, name)
        with server.client() as client:
            client.xack(STREAM, "moderation", last)
        return groups

    monkeypatch.setattr(redis.Redis, "xinfo_groups", xinfo_groups)
    with server.client() as client, Survey(Redis(url=server.url)) as survey:
        last = client.xadd(STREAM, {"event": "{}"})
        client.xgroup_create(STREAM, "moderation", id="0")
        client.xreadgroup("moderation", "one", {STREAM: ">"})
        (group,) = survey.state(STREAM).groups
    assert (group.pending, group.unread, group.behind_s) == (1, 0, 0)
    time, _, number = last.partition("-")
    assert group.done_before == f"{time}-{int(number) + 1}"
