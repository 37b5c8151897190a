"""What nobody heard is read: by the model of a server with all its oddities."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from malexbot.events import Event
from malexbot.messengers.mattermost.backfill import Backfill
from malexbot.messengers.mattermost.failures import Answer, Busy, Unauthorised
from malexbot.messengers.mattermost.progress import Report
from malexbot.ports import CaughtUp, Mark
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Supervisor
from tests.simulation.bot import Process
from tests.simulation.server import Server
from tests.simulation.store import Store

WAIT_S = 10.0
MINUTE_MS = 60_000


class Desk:
    """A server with one channel, a store, and a bot that has read it all."""

    def __init__(self, *, per_page: int = 4, since_limit: int = 1000) -> None:
        self.server = Server(per_page=per_page, since_limit=since_limit)
        self.server.channel("one")
        self.store = Store()
        self.bot = Process(self.server, self.store)

    def say(self, count: int = 1, *, apart_ms: int = 1000) -> list[str]:
        posts = []
        for _ in range(count):
            self.server.advance(apart_ms)
            posts.append(self.server.say("one").id)
        return posts

    def settle(self) -> None:
        """Connected, all read and written, and quiet for long enough."""
        self.server.advance(2 * MINUTE_MS)
        self.bot.connect()
        assert self.bot.read()
        self.bot.flush()

    def miss(self, count: int, *, apart_ms: int = 1000) -> list[str]:
        """The line is cut; so many posts later there is a new connection."""
        self.bot.cut()
        self.bot.delivered.clear()
        self.server.advance(5 * MINUTE_MS)
        posts = self.say(count, apart_ms=apart_ms)
        self.server.advance(5 * MINUTE_MS)
        self.bot.connect()
        return posts

    def read(self) -> bool:
        is_read = self.bot.read()
        self.bot.flush()
        return is_read

    def calls(self, read: Callable[[], object]) -> list[str]:
        self.server.calls.clear()
        read()
        return [call.split()[0] for call in self.server.calls]

    @property
    def mark(self) -> tuple[str, int]:
        mark = self.store.mark("one")
        return mark.mark_id, mark.filled_for

    @property
    def parcels(self) -> list[tuple[Sequence[Event], Sequence[Mark]]]:
        """What the last pass handed to intake."""
        return self.bot.delivered

    @property
    def moved(self) -> list[CaughtUp]:
        """How the mark moved with them."""
        moved = [mark for _, marks in self.parcels for mark in marks]
        return [mark for mark in moved if isinstance(mark, CaughtUp)]


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.say(12, apart_ms=10_000)
    desk.settle()
    return desk


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
    desk.read()
    assert late.id in desk.store.posts


def test_a_mark_stops_at_what_was_there_when_the_walk_began(desk: Desk) -> None:
    missed = desk.miss(9)
    newer: list[str] = []

    def talk(call: str) -> None:
        if call.startswith("after"):
            newer.append(desk.server.say("one").id)

    desk.server.on_call = talk
    desk.bot.read()
    assert newer
    assert desk.moved[-1].post_id == missed[-1]


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
    posts = desk.say(20)
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
    true, desk.server.since = desk.server.since, lambda room, since: []  # type: ignore
    desk.read()
    assert desk.store.mark("one").edits_until == until
    desk.server.since = true  # type: ignore[method-assign]
    desk.read()
    assert desk.store.posts[edited].message == "better"


def test_answered_pings_move_the_mark_of_the_edits(desk: Desk) -> None:
    desk.server.advance(10 * MINUTE_MS)
    desk.server.ping()
    desk.bot.flush()
    assert desk.calls(desk.read) == ["channels"]
    assert desk.store.mark("one").edits_until == desk.server.now - MINUTE_MS


# Promise 5: history, and what is odd about pages.


def test_history_is_walked_from_the_newest_to_the_oldest() -> None:
    desk = Desk()
    posts = desk.say(30)
    desk.settle()
    assert set(posts) == set(desk.store.posts)
    assert desk.store.mark("one").is_history_done
    assert "before" not in desk.calls(desk.read)


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


def test_a_post_from_the_future_does_not_move_the_mark_there(desk: Desk) -> None:
    desk.bot.cut()
    desk.server.say("one", at=desk.server.now + 10**9)
    desk.bot.connect()
    desk.read()
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


# Promise 6: whether there is anything new, and whether we are deaf.


def test_an_unchanged_channel_costs_no_call(desk: Desk) -> None:
    assert desk.calls(desk.read) == ["channels"]


def test_an_unchanged_channel_is_filled_for_a_new_connection(desk: Desk) -> None:
    desk.bot.cut()
    desk.bot.connect()
    calls = desk.calls(desk.read)
    # A deletion does not show in the counters.
    assert calls == ["channels", "since"]
    assert desk.mark[1] == desk.store.number


def test_a_new_post_costs_one_page(desk: Desk) -> None:
    desk.say()
    desk.server.advance(2 * MINUTE_MS)
    desk.bot.hearing.heard("one", desk.server.now)
    desk.bot.flush()
    desk.server.per_page = 200
    assert desk.calls(desk.read)[:2] == ["channels", "newest"]


def test_a_channel_that_was_busy_when_it_was_read_is_looked_at_again(
    desk: Desk,
) -> None:
    desk.say()
    desk.bot.flush()
    desk.read()
    assert "newest" in desk.calls(desk.read)
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert desk.calls(desk.read) == ["channels"]


def test_what_should_have_come_live_makes_a_wish_for_a_new_connection(
    desk: Desk,
) -> None:
    desk.server.advance(2 * MINUTE_MS)
    unheard = desk.say()[0]
    assert desk.bot.server.socket
    desk.bot.server.socket.clear()
    desk.read()
    assert desk.bot.hearing.take_wish() == ""
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert unheard in desk.bot.hearing.take_wish()
    assert desk.bot.hearing.take_wish() == ""


def test_what_came_live_makes_no_wish(desk: Desk) -> None:
    desk.server.advance(2 * MINUTE_MS)
    desk.say(3)
    desk.bot.flush()
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert desk.bot.hearing.take_wish() == ""


# Promise 12: what was erased is not brought back.


def test_what_is_not_wanted_is_not_handed_on(desk: Desk) -> None:
    means = desk.bot.backfill._means
    unwanted = desk.miss(9)[3]
    object.__setattr__(means, "is_wanted", lambda event: event.post.id != unwanted)
    desk.read()
    assert unwanted not in desk.store.posts
    assert desk.mark[1] == desk.store.number


# The report.


def test_a_gap_is_open_while_its_channel_is_read(desk: Desk) -> None:
    desk.miss(9)
    seen: list[bool] = []
    desk.server.on_call = lambda call: seen.append(("one", "posts") in desk.store.gaps)
    desk.read()
    assert True in seen
    assert ("one", "posts") not in desk.store.gaps


def test_an_operator_may_have_a_channel_read_again(desk: Desk) -> None:
    desk.store.posts.clear()
    half = desk.server.now - 2 * MINUTE_MS - 5500
    desk.bot.backfill.request("one", half)
    desk.read()
    wanted = {
        post.id
        for post in desk.server.channels["one"].living()
        if post.create_at >= half
    }
    assert wanted <= set(desk.store.posts)
    assert desk.calls(desk.read) == ["channels"]


def test_progress_is_shown(desk: Desk) -> None:
    shown: list[Report] = []
    desk.bot.backfill._means.progress._show = shown.append
    desk.miss(9)
    desk.read()
    assert {report.phase for report in shown} >= {"new posts", "edits"}
    assert shown[-1].posts >= 9
    assert desk.bot.health.parts()["backfill"] == "1 read"


# Failures.


def test_a_channel_that_fails_does_not_keep_the_others() -> None:
    desk = Desk()
    desk.server.channel("two")
    desk.say(3)
    desk.server.say("two")

    def fail(call: str) -> None:
        if call.startswith("newest one"):
            raise Busy("get posts", Answer(503))

    desk.server.on_call = fail
    desk.bot.connect()
    assert not desk.read()
    assert {post.channel_id for post in desk.store.posts.values()} == {"two"}
    desk.server.on_call = lambda call: None
    assert desk.read()
    assert len(desk.store.posts) == 4


def test_a_failure_is_told_when_it_is_new_and_when_it_is_over(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def fail(call: str) -> None:
        if call.startswith("newest"):
            raise Busy("get posts", Answer(503))

    desk.miss(1)
    desk.server.on_call = fail
    desk.read()
    desk.read()
    assert len([r for r in caplog.records if "tried again" in r.message]) == 1
    desk.server.on_call = lambda call: None
    desk.read()
    assert len([r for r in caplog.records if "works again" in r.message]) == 1


def test_a_stop_ends_it_within_a_page_and_marks_nothing_more(desk: Desk) -> None:
    desk.miss(30)

    def stop(call: str) -> None:
        if call.startswith("after"):
            desk.bot.stop.set()

    desk.server.on_call = stop
    assert not desk.bot.read()
    assert len([call for call in desk.server.calls if call.startswith("after")]) == 1


def test_a_bug_in_a_walk_ends_the_pass(desk: Desk) -> None:
    desk.miss(1)

    def fail(call: str) -> None:
        if call.startswith("newest"):
            raise ZeroDivisionError

    desk.server.on_call = fail
    with pytest.raises(ZeroDivisionError):
        desk.bot.read()


# The service.


class Running:
    """The backfill in a thread of its own; each pass can be waited for."""

    def __init__(self, backfill: Backfill) -> None:
        self.passes = 0
        self._read = backfill.read
        self._one_more = threading.Condition()
        self._backfill = backfill
        backfill.read = self._count  # type: ignore[method-assign]
        self._supervisor = Supervisor(
            on_fatal=lambda name, error: None, health=Health()
        )

    def _count(self, stop: Stop) -> bool:
        try:
            return self._read(stop)
        finally:
            with self._one_more:
                self.passes += 1
                self._one_more.notify_all()

    def wait(self, passes: int) -> None:
        with self._one_more:
            assert self._one_more.wait_for(lambda: self.passes >= passes, WAIT_S)

    def __enter__(self) -> Running:
        self._supervisor.start(self._backfill)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._supervisor.stop(Deadline(WAIT_S)) == []


def test_it_reads_at_each_new_connection_and_at_each_call(desk: Desk) -> None:
    with Running(desk.bot.backfill) as running:
        desk.miss(3)
        running.wait(1)
        desk.bot.backfill.wake()
        running.wait(2)
        desk.bot.backfill.on_channels_changed()
        running.wait(3)


def test_a_refused_token_is_a_state(desk: Desk) -> None:
    def refuse(call: str) -> None:
        raise Unauthorised("get channels", Answer(401))

    desk.server.on_call = refuse
    with Running(desk.bot.backfill) as running:
        desk.bot.backfill.wake()
        running.wait(1)
        desk.server.on_call = lambda call: None
        desk.bot.backfill.wake()
        running.wait(2)
    assert desk.bot.health.is_ready


def test_it_stops_at_once_while_it_waits(desk: Desk) -> None:
    with Running(desk.bot.backfill):
        pass
