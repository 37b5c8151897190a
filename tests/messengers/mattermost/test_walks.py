"""Walks: no page, border or crash hides a post, and no mark says too much."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from malexbot.messengers.mattermost.borders import post_of
from malexbot.messengers.mattermost.failures import Answer, Busy
from malexbot.messengers.mattermost.rooms import View
from malexbot.messengers.mattermost.walks import History
from malexbot.ports import CaughtUp, Mark
from tests.simulation.bot import Process
from tests.simulation.desk import Desk, desk

__all__ = ["desk"]

# Promise 1: a walk fills the channel for the connection it began with.


def test_only_the_last_page_fills_the_channel(desk: Desk) -> None:
    missed = desk.miss(9)
    desk.bot.read()
    marks = desk.moved
    assert len(marks) > 2
    assert [mark.filled_for for mark in marks[:-1]] == [None] * (len(marks) - 1)
    assert (marks[-1].post_id, marks[-1].filled_for) == (missed[-1], desk.store.number)


def test_a_walk_begins_a_minute_before_the_mark(desk: Desk) -> None:
    late = desk.server.begin("one")
    desk.say(9, apart_ms=6000)
    desk.bot.flush()
    desk.bot.cut()
    desk.server.save()
    desk.bot.connect()
    desk.bot.delivered.clear()
    desk.read()
    # Edits are read from a minute before too, but that is no promise of the walk.
    walked = [events for events, marks in desk.parcels if _moves(marks)]
    assert late.id in {post_of(event).id for events in walked for event in events}


def _moves(marks: Sequence[Mark]) -> bool:
    return any(isinstance(mark, CaughtUp) for mark in marks)


def test_a_mark_stops_at_what_was_there_when_the_walk_began(desk: Desk) -> None:
    # So many that the last page has room for what comes meanwhile.
    missed = desk.miss(8)
    newer: list[str] = []

    def talk(call: str) -> None:
        if call.startswith("after"):
            newer.append(desk.server.say("one").id)

    desk.server.on_call = talk
    desk.bot.read()
    assert newer
    assert desk.moved[-1].post_id == missed[-1]


def test_a_look_counts_for_the_connection_that_was_open_before_it(desk: Desk) -> None:
    rooms, number = desk.bot.rooms, desk.store.number
    look = rooms.look

    def and_connect_anew(number: int) -> View:
        view = look(number)
        desk.bot.cut()
        desk.say()
        desk.bot.connect()
        return view

    rooms.look = and_connect_anew  # type: ignore[method-assign]
    desk.read()
    assert desk.store.number > number
    assert desk.mark[1] == number


def test_a_walk_under_an_old_number_does_not_fill_for_the_new_one(desk: Desk) -> None:
    desk.miss(9)
    old = desk.store.number

    def reconnect(call: str) -> None:
        if call.startswith("after"):
            desk.server.on_call = lambda call: None
            desk.bot.connect()

    desk.server.on_call = reconnect
    desk.read()
    assert desk.mark[1] == old
    desk.read()
    assert desk.mark[1] == old + 1


# Promise 5: history, and what is odd about pages.


def test_history_is_walked_from_the_newest_to_the_oldest() -> None:
    desk = Desk()
    posts = desk.say(30)
    desk.settle()
    assert set(posts) == set(desk.store.posts)
    assert desk.store.mark("one").is_history_done
    assert "before" not in desk.calls(desk.read)


def test_history_ends_at_its_bound_as_that_is_at_each_page() -> None:
    desk = Desk(per_page=4)
    posts, bound = desk.say(12), [0]
    desk.bot.connect()
    (room,) = desk.bot.rooms.look(desk.store.number).rooms
    steps = History(desk.server, since_ms=lambda: bound[0]).walk(room)
    pages = [next(steps)]
    bound[0] = post_of(pages[0].events[0]).create_at - 2000
    pages += steps
    told = {post_of(event).id for page in pages for event in page.events}
    assert told == set(posts[-6:])


def test_history_goes_on_where_it_was_cut_off() -> None:
    desk = Desk()
    posts = desk.say(100, apart_ms=10_000)
    desk.bot.connect()

    def die(call: str) -> None:
        if call.startswith("before") and len(desk.parcels) > 24:
            raise Busy("get posts", Answer(503))

    desk.server.on_call = die
    assert not desk.read()
    half = set(desk.store.posts)
    assert 50 < len(half) < 100
    desk.server.on_call = lambda call: None
    desk.bot = Process(desk.server, desk.store)
    desk.bot.connect()
    calls = desk.calls(desk.read)
    assert set(posts) == set(desk.store.posts)
    assert calls.count("before") < 22


@pytest.mark.parametrize("same", [3, 4, 5, 11])
def test_posts_of_one_millisecond_are_all_read_across_pages(same: int) -> None:
    desk = Desk()
    history = desk.say(3) + desk.say(1) + desk.say(same, apart_ms=0) + desk.say(3)
    desk.settle()
    assert set(history) == set(desk.store.posts)
    missed = desk.miss(5) + desk.say(same, apart_ms=0) + desk.say(6)
    desk.bot.cut()
    desk.bot.connect()
    desk.read()
    assert set(history + missed) == set(desk.store.posts)


def test_a_mark_that_was_erased_hides_nothing(desk: Desk) -> None:
    mark_id, _ = desk.mark
    missed = desk.miss(15)
    desk.server.erase(mark_id)
    desk.read()
    assert set(missed) <= set(desk.store.posts)
    assert desk.mark == (missed[-1], desk.store.number)


def test_an_anchor_that_is_erased_under_the_walk_hides_nothing(desk: Desk) -> None:
    missed = desk.miss(15)

    def erase(call: str) -> None:
        words = call.split()
        if words[0] == "after" and words[2] in missed:
            anchor = words[2]
            desk.server.on_call = lambda call: None
            desk.server.erase(anchor)

    desk.server.on_call = erase
    desk.read()
    desk.read()
    living = {post.id for post in desk.server.channels["one"].living()}
    assert living <= set(desk.store.posts)
    assert desk.mark == (missed[-1], desk.store.number)


def test_an_erased_anchor_of_the_history_hides_nothing() -> None:
    desk = Desk()
    desk.say(100, apart_ms=10_000)
    desk.bot.connect()

    def die(call: str) -> None:
        if call.startswith("before") and len(desk.parcels) > 24:
            raise Busy("get posts", Answer(503))

    desk.server.on_call = die
    desk.read()
    desk.server.on_call = lambda call: None
    desk.server.erase(desk.store.mark("one").history_id)
    assert not desk.read()
    assert desk.read()
    living = {post.id for post in desk.server.channels["one"].living()}
    assert living <= set(desk.store.posts)


def test_a_deletion_under_the_walk_does_not_move_a_post_off_its_page() -> None:
    desk = Desk()
    group = desk.say(11, apart_ms=0)
    desk.bot.connect()

    def delete(call: str) -> None:
        if call == "newest one 1":
            desk.server.on_call = lambda call: None
            desk.server.erase(group[-1])

    desk.server.on_call = delete
    desk.read()
    assert set(group[:-1]) <= set(desk.store.posts)


def test_a_post_from_the_future_does_not_move_the_mark_there(desk: Desk) -> None:
    desk.bot.cut()
    desk.server.say("one", at=desk.server.now + 10**9)
    desk.bot.connect()
    desk.read()
    assert desk.store.mark("one").mark_at == desk.server.now
    missed = desk.miss(9)
    desk.read()
    assert set(missed) <= set(desk.store.posts)


def test_a_long_absence_is_read_page_by_page() -> None:
    desk = Desk(per_page=200)
    desk.say(300)
    desk.settle()
    missed = desk.miss(5000, apart_ms=1000)
    desk.server.since_limit = 200
    desk.bot.read()
    assert max(len(events) for events, _ in desk.parcels) <= 200
    desk.bot.flush()
    assert set(missed) <= set(desk.store.posts)


# Promise 6: whether there is anything new.


@pytest.mark.parametrize("counter", ["messages", "last_post_at"])
def test_each_of_the_two_counters_shows_that_something_is_new(
    desk: Desk, counter: str
) -> None:
    """An edit or a pin moves the time only; a post of an older time the number."""
    channel = desk.server.channels["one"]
    setattr(channel, counter, getattr(channel, counter) + 1)
    assert desk.calls(desk.read)[:2] == ["channels", "newest"]
