"""The same backfill by the real client, on a loopback server."""

from __future__ import annotations

import time
from typing import Any

import pytest

from malexbot.messengers.mattermost.borders import Room
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Unreachable
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.reading import PAGE_S, Reading, news_of
from malexbot.messengers.mattermost.translate import Translator
from malexbot.runtime.stop import Stop
from malexbot.sandbox.fixtures import Mattermost
from tests.consumers.service import dripping
from tests.messengers.mattermost.scripted import SILENCE, Scripted
from tests.simulation.store import BLANK

from .reader import PER_PAGE, Reader


@pytest.fixture
def desk(mattermost: Mattermost, client: Client) -> Reader:
    return Reader(mattermost, client)


def test_history_and_what_was_missed_are_read(desk: Reader) -> None:
    history = desk.say(20)
    assert desk.read()
    desk.pass_minutes(5)
    missed = desk.say(90)
    assert desk.read()
    assert set(history + missed) == set(desk.kept())


def test_posts_of_one_millisecond_are_read(desk: Reader) -> None:
    desk.say(20)
    assert desk.read()
    desk.pass_minutes(5)
    town, scene = desk.town, desk.mattermost.scene
    same = scene.post_many(town.channel, town.alice, ["same"] * 25)
    desk.say(12)
    assert desk.read()
    assert set(same) <= set(desk.kept())


def test_edits_and_deletions_are_read(desk: Reader) -> None:
    edited, deleted, *_ = desk.say(3)
    assert desk.read()
    desk.pass_minutes(5)
    desk.mattermost.scene.edit(edited, "better")
    desk.mattermost.scene.delete(deleted)
    assert desk.read()
    assert desk.kept()[edited] == "better"
    assert deleted not in desk.kept()


@pytest.mark.untraced
def test_more_changes_than_one_answer_holds_are_read(desk: Reader) -> None:
    posts = desk.mattermost.scene.post_many(
        desk.town.channel, desk.town.alice, ["first"] * 600
    )
    assert desk.read()
    desk.pass_minutes(5)
    for id in posts[1:]:
        desk.mattermost.scene.edit(id, "second")
    desk.mattermost.scene.erase(posts[0])
    assert desk.read()
    assert set(desk.kept().values()) == {"second"}
    assert posts[0] not in desk.kept()


def test_an_erased_mark_hides_nothing(desk: Reader) -> None:
    desk.say(20)
    assert desk.read()
    mark_id = desk.store.mark(desk.town.channel).mark_id
    missed = desk.say(30)
    desk.mattermost.scene.erase(mark_id)
    assert desk.read()
    assert set(missed) <= set(desk.kept())


ROOM = Room(news_of({"id": "c", "name": "channel"}), BLANK)


def slow_reading(url: str) -> tuple[Link, Reading]:
    link = Link(url=url, token="t" * 26)
    reading = Reading(
        client=Client(link, patience_s=0),
        translator=Translator(lambda: 0),
        reject=lambda *_: True,
        hearing=Hearing(lambda: 0),
    )
    # Nothing is tried twice.
    stop = Stop()
    stop.set()
    reading.wake_at(stop)
    return link, reading


def test_a_page_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of it comes in time, all of it takes four times as long."""
    monkeypatch.setattr(f"{Link.__module__}.READ_S", 0.5)
    page = b'{"order": [], "posts": {}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(page) + 100)
    with dripping(head + page, b" ") as url:
        link, reading = slow_reading(url)
        assert reading.newest(ROOM) == []
        link.close()


def test_a_page_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{Link.__module__}.READ_S", 0.2)
    with Scripted(SILENCE) as server:
        link, reading = slow_reading(server.url)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            reading.newest(ROOM)
        assert time.monotonic() - began < PAGE_S / 10
        link.close()


# What cannot be read.


def spoil(desk: Reader, *post_ids: str) -> None:
    """The server may have types that no line of ours can hold."""
    world = desk.mattermost.scene.world
    for id in post_ids:
        world.posts[id].type = "custom_a:b"


def test_what_cannot_be_read_is_rejected_once_and_its_page_read(desk: Reader) -> None:
    posts = desk.say(20)
    spoil(desk, posts[18])
    assert desk.read()
    posts += desk.say(1)
    assert desk.read()
    assert [posts[18].encode() in raw for raw in desk.rejected] == [True]
    assert set(desk.kept()) == {*posts} - {posts[18]}


@pytest.mark.parametrize("levels", [300, 990, 1_020])
def test_what_is_deep_is_rejected_and_its_page_read(desk: Reader, levels: int) -> None:
    """Python's own writer has its limit at about a thousand levels."""
    deep, good = desk.say(2)
    nested = "[" * levels + "]" * levels
    row = '{"id": "%s", "props": %s}' % (deep, nested)
    desk.mattermost.faults.malform_post(deep, row)
    assert desk.read()
    assert good in desk.kept()
    assert [deep.encode() in raw for raw in desk.rejected] == [True]


def test_no_page_is_written_without_what_was_rejected_of_it(desk: Reader) -> None:
    posts = desk.say(3)
    spoil(desk, posts[1])
    desk.has_room = False
    assert not desk.read()
    assert not desk.kept()
    assert desk.store.mark(desk.town.channel).mark_id == ""
    desk.has_room = True
    assert desk.read()
    assert len(desk.rejected) == 1
    assert set(desk.kept()) == {posts[0], posts[2]}


@pytest.mark.parametrize("since", [5, 2 * PER_PAGE])
def test_a_page_that_cannot_be_read_at_all_is_no_end(desk: Reader, since: int) -> None:
    """In the history as in what was missed, amid it or at its end."""
    for _ in range(2):
        posts = desk.say(4 * PER_PAGE)
        spoiled = posts[since : since + 2 * PER_PAGE]
        spoil(desk, *spoiled)
        rejected = len(desk.rejected)
        assert desk.read()
        assert {*posts} - {*spoiled} <= set(desk.kept())
        assert len(desk.rejected) == rejected + len(spoiled)
        assert desk.store.mark(desk.town.channel).is_history_done
        desk.pass_minutes(5)


def test_pages_that_move_meanwhile_hide_nothing(
    desk: Reader, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    *good, newest = desk.say(3 * PER_PAGE)
    spoiled = [newest, *(good.pop() for _ in range(PER_PAGE - 1))]
    spoil(desk, *spoiled)
    exchange = client.link.exchange

    def and_erase(method: str, endpoint: str, **body: Any) -> Any:
        """The first post behind that page is on it then."""
        if (body.get("params") or {}).get("page") == 1 and newest in spoiled:
            desk.mattermost.scene.erase(spoiled.pop(0))
        return exchange(method, endpoint, **body)

    monkeypatch.setattr(client.link, "exchange", and_erase)
    assert desk.read()
    assert newest not in spoiled and set(good) <= set(desk.kept())


def test_where_nothing_can_be_read_no_end_is_told(
    desk: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault may be ours; and then all that there is would be rejected."""
    desk.say(10 * PER_PAGE)
    spoil(desk, *desk.mattermost.scene.world.posts.rows)
    assert not desk.read()
    assert "none of its newest posts can be read" in caplog.text
    assert not desk.store.mark(desk.town.channel).is_history_done
    assert len(desk.rejected) < 10 * PER_PAGE


@pytest.mark.untraced
def test_what_cannot_be_read_counts_among_the_rows_of_since(desk: Reader) -> None:
    posts = desk.mattermost.scene.post_many(
        desk.town.channel, desk.town.alice, ["first"] * 1100
    )
    assert desk.read()
    desk.pass_minutes(5)
    for id in posts:
        desk.mattermost.scene.edit(id, "second")
    # Fewer than count are left, and on no page none: within a millisecond, ids have
    # any order.
    spoiled = posts[::10]
    spoil(desk, *spoiled)
    desk.store.told.clear()
    assert desk.read()
    assert (desk.town.channel, "edits") in {told[:2] for told in desk.store.told}
    living = desk.kept()
    assert {living[id] for id in set(posts) - set(spoiled)} == {"second"}
    # It was read before, and is not taken for deleted.
    assert {living[id] for id in spoiled} == {"first"}


# Who it was.


def nicks(desk: Reader) -> set[str | None]:
    return {event.user.nick for event in desk.events}


def asked(desk: Reader) -> int:
    return sum("/users/ids" in line for line in desk.requests)


def test_users_have_names_and_are_asked_for_once_a_page(desk: Reader) -> None:
    desk.say(3)
    town, scene = desk.town, desk.mattermost.scene
    scene.post(town.channel, town.bob, "too")
    assert desk.read()
    assert {"alice", "bob"} <= nicks(desk)
    assert None not in nicks(desk)
    before = asked(desk)
    desk.pass_minutes(2)
    desk.say(30)
    assert desk.read()
    assert asked(desk) == before


def test_what_is_read_tells_the_address_of_its_channel(desk: Reader) -> None:
    desk.say(1)
    assert desk.read()
    names = [event.data.get("channel_name") for event in desk.events if event.post]
    assert "general" in names and None not in names


def test_a_page_does_not_wait_for_names(desk: Reader) -> None:
    desk.mattermost.faults.fail(503, pattern="/users/ids")
    posts = desk.say(30)
    began = time.monotonic()
    assert desk.read()
    assert set(posts) == set(desk.kept())
    assert nicks(desk) == {None}
    # Once only, with a repetition or two.
    assert time.monotonic() - began < 8


def test_a_removed_bot_finds_no_access(desk: Reader) -> None:
    assert desk.read()
    desk.mattermost.scene.leave(desk.town.channel, desk.town.bot, by=desk.town.admin)
    desk.read()
    desk.read()
    assert (desk.town.channel, "access") in desk.store.gaps
