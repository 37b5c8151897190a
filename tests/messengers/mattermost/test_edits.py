"""Edits and deletions of the time when nobody listened."""

from __future__ import annotations

import pytest

from malexbot.messengers.mattermost.borders import Changes
from malexbot.messengers.mattermost.failures import Answer, Busy
from tests.simulation.desk import MINUTE_MS, Desk, desk

__all__ = ["desk"]

# Promise 4: edits and deletions.


def test_an_edit_and_a_deletion_while_away_are_read(desk: Desk) -> None:
    edited, deleted = list(desk.store.posts)[:2]
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    desk.server.edit(edited, "better")
    desk.server.delete(deleted)
    desk.bot.connect()
    desk.read()
    assert desk.store.posts[edited].message == "better"
    assert deleted in desk.store.deleted


def test_too_many_changes_are_found_page_by_page() -> None:
    desk = Desk(since_limit=6)
    # Most of them are older than what a walk to the newest posts reads once more.
    posts = desk.say(20, apart_ms=10_000)
    desk.settle()
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    for id in posts[1:9]:
        desk.server.edit(id, "better")
    desk.server.delete(posts[0])
    desk.server.erase(posts[12])
    desk.bot.connect()
    desk.read()
    assert all(desk.store.posts[id].message == "better" for id in posts[1:9])
    assert {posts[0], posts[12]} <= desk.store.deleted
    assert ("one", "edits") in {told[:2] for told in desk.store.told}
    assert ("one", "edits") not in desk.store.gaps


def test_a_long_walk_that_ended_without_a_word_is_no_gap_for_ever(desk: Desk) -> None:
    """Its end was written, and the database was gone before the gap was closed."""
    assert not desk.store.mark("one").edits_walk_id
    desk.store.open_gap("mattermost", "one", "edits", "too many changes")
    desk.read()
    assert ("one", "edits") not in desk.store.gaps


def test_a_post_that_a_page_left_out_is_asked_for_before_it_counts_as_gone() -> None:
    desk = Desk(since_limit=6)
    posts = desk.say(20, apart_ms=10_000)
    desk.settle()
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    for id in posts[1:9]:
        desk.server.edit(id, "better")
    desk.server.erase(posts[12])
    desk.bot.connect()
    page = desk.server._page
    desk.server._page = lambda posts, number: page(  # type: ignore[method-assign]
        [post for post in posts if post.id != left_out], number
    )
    left_out = posts[4]
    desk.read()
    assert desk.store.deleted == {posts[12]}
    assert desk.store.posts[left_out].message == "better"


def test_a_long_walk_goes_on_where_it_was_cut_off() -> None:
    desk = Desk(since_limit=6)
    posts = desk.say(40, apart_ms=10_000)
    desk.settle()
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    for id in posts[:8]:
        desk.server.edit(id, "better")
    desk.server.advance(5 * MINUTE_MS)
    desk.bot.connect()
    desk.server.calls.clear()
    seen = 0

    def die(call: str) -> None:
        nonlocal seen
        has_begun = any(call.startswith("since") for call in desk.server.calls)
        seen += has_begun and call.startswith("before")
        if seen == 5:
            raise Busy("get posts", Answer(503))

    desk.server.on_call = die
    desk.read()
    assert desk.store.mark("one").edits_walk_id
    assert ("one", "edits") in desk.store.gaps
    desk.server.on_call = lambda call: None
    calls = desk.calls(desk.read)
    assert calls.count("before") < 15
    assert all(desk.store.posts[id].message == "better" for id in posts[:8])
    assert not desk.store.mark("one").edits_walk_id


def test_an_empty_answer_that_cannot_be_true_is_not_built_upon(desk: Desk) -> None:
    (edited,) = list(desk.store.posts)[:1]
    until = desk.store.mark("one").edits_until
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    desk.server.edit(edited, "better")
    desk.bot.connect()
    true = desk.server.since
    desk.server.since = lambda room, since: Changes([], 0)  # type: ignore
    desk.read()
    assert desk.store.mark("one").edits_until == until
    desk.server.since = true  # type: ignore[method-assign]
    desk.read()
    assert desk.store.posts[edited].message == "better"


def test_answered_pings_move_the_mark_of_the_edits(desk: Desk) -> None:
    desk.server.advance(10 * MINUTE_MS)
    desk.say()
    desk.server.ping()
    desk.bot.flush()
    desk.read()
    assert desk.store.mark("one").edits_until == desk.server.now - MINUTE_MS


def test_who_connects_to_a_server_that_is_still_silent_reads_once_more(
    desk: Desk,
) -> None:
    early, late = list(desk.store.posts)[:2]
    desk.server.advance(2 * MINUTE_MS)
    assert desk.bot.server.socket is not None
    desk.say()
    desk.server.delete(early)
    desk.bot.server.socket.clear()
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert "deaf" in desk.bot.hearing.take_wish()
    desk.bot.connect()
    desk.read()
    assert early in desk.store.deleted
    desk.server.delete(late)
    desk.bot.server.socket.clear()
    for _ in range(5):
        desk.say()
        desk.server.ping()
        desk.bot.flush()
        desk.server.advance(MINUTE_MS)
        desk.read()
    assert late in desk.store.deleted
    assert "since" not in desk.calls(desk.read)


@pytest.mark.parametrize("hears_again", [False, True])
def test_what_a_deaf_connection_did_not_tell_is_read_by_the_next(
    desk: Desk, hears_again: bool
) -> None:
    edited, deleted = list(desk.store.posts)[:2]
    desk.server.advance(2 * MINUTE_MS)
    assert desk.bot.server.socket is not None
    desk.say()
    desk.server.edit(edited, "better")
    desk.server.delete(deleted)
    desk.bot.server.socket.clear()
    if hears_again:
        desk.say()
    for _ in range(10):
        desk.server.advance(MINUTE_MS)
        desk.server.ping()
        desk.bot.flush()
    desk.read()
    assert "deaf" in desk.bot.hearing.take_wish()
    desk.bot.cut()
    desk.bot.connect()
    desk.read()
    assert desk.store.posts[edited].message == "better"
    assert deleted in desk.store.deleted
