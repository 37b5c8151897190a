"""Mattermost as a part: how far back it reads."""

from __future__ import annotations

from malexbot.config.backfill import Backfill
from malexbot.messengers.mattermost.messenger import history_since_ms
from malexbot.pipeline.retention import Retention

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
