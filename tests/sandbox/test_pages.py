"""Reading a channel: the oddities that make a catch-up lose posts."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Rest


def fill(mattermost: Mattermost, count: int) -> list[str]:
    """So many posts, each in a millisecond of its own; later ones come later."""
    town, clock = mattermost.town, mattermost.clock
    ids = []
    for number in range(count):
        clock.freeze(clock.now_ms() + 1)
        ids.append(mattermost.scene.post(town.channel, town.alice, f"m{number}"))
    clock.freeze(clock.now_ms() + 1)
    return ids


def page(bot: Rest, mattermost: Mattermost, query: str) -> Any:
    return bot.get(f"/channels/{mattermost.town.channel}/posts?{query}")


@pytest.mark.parametrize(
    ("query", "size"),
    [("", 60), ("per_page=500", 200), ("per_page=-1", 60), ("per_page=x", 60)]
    + [("per_page=0", 0), ("per_page=7", 7)],
)
def test_the_size_of_a_page(
    mattermost: Mattermost, bot: Rest, query: str, size: int
) -> None:
    fill(mattermost, 210)
    assert len(page(bot, mattermost, query)["order"]) == size


def test_a_walk_forward_finds_each_post(mattermost: Mattermost, bot: Rest) -> None:
    ids = fill(mattermost, 25)
    found, anchor = [], ids[0]
    while order := page(bot, mattermost, f"after={anchor}&per_page=10")["order"]:
        found += reversed(order)
        anchor = order[0]
    assert found == ids[1:]


def test_posts_of_the_anchors_millisecond_are_skipped(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    at = mattermost.clock.now_ms() + 1000
    twins = scene.post_many(town.channel, town.alice, ["a", "b"], create_at=at)
    newer = scene.post(town.channel, town.alice, "newer", create_at=at + 1)
    for twin in twins:
        assert page(bot, mattermost, f"after={twin}")["order"] == [newer]
        assert not set(page(bot, mattermost, f"before={twin}")["order"]) & {*twins}


def test_an_anchor_of_another_channel_counts_by_its_time(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    at = mattermost.clock.now_ms() + 1000
    scene.post(town.channel, town.alice, "older", create_at=at)
    anchor = scene.post(town.second, town.alice, "anchor", create_at=at + 1)
    newer = scene.post(town.channel, town.alice, "newer", create_at=at + 2)
    assert page(bot, mattermost, f"after={anchor}")["order"] == [newer]


def test_a_deleted_anchor_still_counts_by_its_time(
    mattermost: Mattermost, bot: Rest
) -> None:
    first, anchor, last = fill(mattermost, 3)
    mattermost.scene.delete(anchor)
    assert page(bot, mattermost, f"after={anchor}")["order"] == [last]
    assert page(bot, mattermost, f"before={anchor}")["order"][0] == first


def test_since_beats_after_beats_before(mattermost: Mattermost, bot: Rest) -> None:
    ids = fill(mattermost, 3)
    both = page(bot, mattermost, f"after={ids[1]}&before={ids[1]}")
    assert both["order"] == [ids[2]]
    since = page(bot, mattermost, f"since=1&after={ids[1]}&per_page=1")
    assert set(ids) < set(since["order"])


def test_since_gives_no_more_than_its_limit_without_a_hint(
    mattermost: Mattermost, bot: Rest
) -> None:
    """The oldest of 1253 came, and the newest were missing."""
    mattermost.settings.since_limit = 20
    ids = fill(mattermost, 30)
    first = mattermost.clock.now_ms() - 3_600_000
    answer = page(bot, mattermost, f"since={first}")
    assert len(answer["order"]) == 20
    assert ids[-1] not in answer["order"]
    assert answer["next_post_id"] == answer["prev_post_id"] == ""


def test_since_zero_is_a_plain_page(mattermost: Mattermost, bot: Rest) -> None:
    ids = fill(mattermost, 3)
    assert page(bot, mattermost, "since=0&per_page=2")["order"] == ids[:0:-1]


def test_an_etag_of_one_page_hides_every_other(
    mattermost: Mattermost, bot: Rest
) -> None:
    fill(mattermost, 10)
    path = f"/channels/{mattermost.town.channel}/posts?per_page=3"
    etag = bot("GET", path).headers["Etag"]
    for query in ("", "&page=1", "&page=2"):
        again = bot("GET", path + query, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert "Content-Length" not in again.headers
    town = mattermost.town
    at = mattermost.clock.now_ms() + 60_000
    mattermost.scene.post(town.channel, town.alice, "new", create_at=at)
    assert bot("GET", path, headers={"If-None-Match": etag}).status_code == 200


def test_roots_come_beside_the_order(mattermost: Mattermost, bot: Rest) -> None:
    town, scene = mattermost.town, mattermost.scene
    root, *_ = fill(mattermost, 5)
    reply = scene.post(town.channel, town.alice, "reply", root_id=root)
    answer = page(bot, mattermost, "per_page=1")
    assert answer["order"] == [reply]
    assert set(answer["posts"]) == {reply, root}


def test_since_shows_the_root_of_a_deleted_reply_beside_the_order(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene, clock = mattermost.town, mattermost.scene, mattermost.clock
    (root,) = fill(mattermost, 1)
    reply = scene.post(town.channel, town.alice, "reply", root_id=root)
    since = clock.now_ms()
    clock.freeze(since + 1)
    scene.delete(reply)
    answer = page(bot, mattermost, f"since={since}")
    assert answer["order"] == [reply]
    assert set(answer["posts"]) == {reply, root}


def test_a_thread_has_its_first_post_twice(mattermost: Mattermost, bot: Rest) -> None:
    town, scene = mattermost.town, mattermost.scene
    root = scene.post(town.channel, town.alice, "root")
    reply = scene.post(town.channel, town.alice, "reply", root_id=root)
    assert bot.get(f"/posts/{reply}/thread")["order"] == [reply, root, reply]


def test_edits_pins_and_replies_raise_last_post_at_but_deletions_count_nothing(
    mattermost: Mattermost,
) -> None:
    town, scene, clock = mattermost.town, mattermost.scene, mattermost.clock
    (made,) = fill(mattermost, 1)

    def state() -> tuple[int, int]:
        channel = scene.channel(town.channel)
        return channel["total_msg_count"], channel["last_post_at"]

    count, _ = state()
    clock.freeze(clock.now_ms() + 1000)
    scene.edit(made, "edited")
    assert state() == (count, clock.now_ms())
    clock.freeze(clock.now_ms() + 1000)
    scene.pin(made)
    assert state() == (count, clock.now_ms())
    at = clock.now_ms()
    clock.freeze(at + 1000)
    scene.delete(made)
    assert state() == (count, at)
