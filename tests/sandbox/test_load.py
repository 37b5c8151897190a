"""Prepared posts are saved at once and told later, at a given speed."""

from __future__ import annotations

import time

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Client, Rest, message


def test_posts_are_told_when_they_are_released(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    town = mattermost.town
    texts = [f"m{number}" for number in range(100)]
    assert mattermost.load.prepare(town.channel, town.alice, texts) == 100
    assert client.upto_reply() == []
    page = bot.get(f"/channels/{town.channel}/posts?per_page=100")
    assert {page["posts"][id]["message"] for id in page["order"]} == set(texts)
    mattermost.load.release()
    assert [message(frame) for frame in client.upto_reply()] == texts
    mattermost.load.release()
    assert client.upto_reply() == []


def test_the_speed_is_kept(mattermost: Mattermost) -> None:
    town = mattermost.town
    mattermost.load.prepare(town.channel, town.alice, ["x"] * 2000)
    start = time.monotonic()
    mattermost.load.release(per_second=10_000)
    assert 0.1 <= time.monotonic() - start < 5
