"""Mattermost as a part: when and how far back it reads; how long its clock is waited
for.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from malexbot.config.backfill import Backfill
from malexbot.config.mattermost import Mattermost as Settings
from malexbot.errors import Transient
from malexbot.messengers.mattermost.messenger import (
    Mattermost,
    Server,
    history_since_ms,
)
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.retention import Retention
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from tests.simulation.store import Store

from .scripted import SILENCE, Scripted

DAY_S = 86_400
DAY_MS = DAY_S * 1000


def test_a_history_is_read_as_far_back_as_is_wished_and_kept_just_now() -> None:
    now = [100 * DAY_MS]
    retention = Retention(None, now_ms=lambda: now[0])

    def since_days(wished: str | None) -> float:
        settings = Backfill(since=wished)
        return history_since_ms(settings, retention, lambda: now[0]) / DAY_MS

    assert since_days(None) == 0
    assert since_days("10d") == 90
    retention.keep_s = 5 * DAY_S
    assert since_days("10d") == since_days(None) == 95
    retention.keep_s = 20 * DAY_S
    assert (since_days("10d"), since_days(None)) == (90, 80)
    now[0] += 7 * DAY_MS
    assert (since_days("10d"), since_days(None)) == (97, 87)


def test_a_server_that_says_nothing_holds_nobody_up_who_asks_the_time() -> None:
    """Workers and calls ask it, and whoever waits for them has less patience."""
    with Scripted(SILENCE) as silent:
        address = f"http://127.0.0.1:{silent.port}"
        server = Server(Settings.model_validate({"http_host": address, "token": "t"}))
        began = time.monotonic()
        with pytest.raises(Transient):
            server.now_ms()
        assert time.monotonic() - began < 10
        server.client.link.close()
    assert len(silent.requests) == 1


def test_nothing_is_read_before_the_audience_knows_who_the_bot_is() -> None:
    settings = {"http_host": "http://127.0.0.1:1", "token": "t"}
    server, audience = Server(Settings.model_validate(settings)), Audience()
    settled: list[Stop] = []

    class Intake:
        reject = deliver = offer = staticmethod(lambda *told: True)

        def settle(self, stop: Stop) -> None:
            settled.append(stop)
            raise Transient("that is as far as this goes")

    intake: Any = Intake()
    mattermost = Mattermost(
        server,
        intake=intake,
        audience=audience,
        bookmarks=Store(),
        backfill=Backfill(),
        retention=Retention(None, now_ms=server.now_ms),
        health=Health(),
    )
    with pytest.raises(Transient, match="who the bot is"):
        mattermost.backfill.read(Stop())
    assert settled == []
    audience.know_self("malexbot-id", "malexbot")
    with pytest.raises(Transient, match="as far as"):
        mattermost.backfill.read(Stop())
    server.client.link.close()
