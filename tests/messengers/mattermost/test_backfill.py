"""When what is read, what is told of it, and what a failure does."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pytest

from malexbot.errors import Transient
from malexbot.messengers.mattermost.backfill import REFUSED_S, Backfill
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import (
    Answer,
    Busy,
    Forbidden,
    Rejected,
    Unauthorised,
)
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Supervisor
from malexbot.sandbox.fixtures import Mattermost
from tests.simulation.desk import MINUTE_MS, Desk, desk

from .reader import Reader

__all__ = ["desk"]


WAIT_S = 10.0


def test_nothing_is_read_before_the_bot_knows_who_it_is(
    mattermost: Mattermost, client: Client
) -> None:
    """What is said to it meanwhile would be taken for its own, and left unanswered."""
    reader = Reader(mattermost, client)
    said = reader.say(2)
    reader.knows_self = False
    with pytest.raises(Transient):
        reader.read()
    assert (reader.requests, reader.listened, reader.events) == ([], frozenset(), [])
    reader.knows_self = True
    assert reader.read()
    assert set(said) <= reader.kept().keys()


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


def test_counters_prove_nothing_of_what_was_not_listened_to(desk: Desk) -> None:
    news = desk.bot.rooms.look(desk.store.number).rooms[0]
    assert news.is_unchanged
    assert not replace(news, is_fresh=True).is_unchanged
    unread = replace(news.bookmark, edits_until=0)
    assert not replace(news, bookmark=unread).is_unchanged


def test_a_pass_waits_until_the_last_one_is_written() -> None:
    desk = Desk()
    desk.say(3)
    desk.server.advance(2 * MINUTE_MS)
    desk.bot.connect()
    desk.bot.read()
    assert desk.bot.queue
    assert desk.calls(desk.bot.read) == ["channels"]


def test_a_new_post_costs_one_page(desk: Desk) -> None:
    desk.say()
    desk.server.advance(2 * MINUTE_MS)
    desk.bot.hearing.heard("one", "its id", desk.server.now)
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
    desk.server.advance(MINUTE_MS // 2)
    desk.read()
    assert desk.bot.hearing.take_wish() == ""
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert unheard in desk.bot.hearing.take_wish()
    assert desk.bot.hearing.take_wish() == ""


def test_all_is_read_again_that_a_deaf_connection_may_have_missed(
    desk: Desk,
) -> None:
    """What came live after it has moved the mark past it, by more than a page."""
    desk.server.advance(2 * MINUTE_MS)
    assert desk.bot.server.socket is not None
    missed = desk.say(6)
    desk.bot.server.socket.clear()
    desk.server.advance(2 * MINUTE_MS)
    desk.say(3)
    desk.bot.flush()
    desk.server.advance(2 * MINUTE_MS)
    desk.read()
    assert "deaf" in desk.bot.hearing.take_wish()
    assert not [id for id in missed if id not in desk.store.posts]
    desk.bot.connect()
    assert desk.calls(desk.read).count("after") < 2


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


def test_every_gap_is_open_before_the_first_page_is_read() -> None:
    desk = Desk()
    desk.server.channel("two")
    desk.say(3)
    desk.server.say("two")
    desk.settle()
    desk.bot.cut()
    desk.server.advance(5 * MINUTE_MS)
    desk.say(3)
    desk.server.say("two")
    desk.bot.connect()
    seen: list[set[tuple[str, str]]] = []
    desk.server.on_call = lambda call: seen.append(set(desk.store.gaps))
    desk.read()
    assert seen[1] == {("one", "posts"), ("two", "posts")}
    assert not desk.store.gaps


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


def test_an_order_tells_what_it_came_to(desk: Desk) -> None:
    half = desk.server.now - 2 * MINUTE_MS - 5500
    since = desk.bot.backfill.request("one", half)
    new = desk.bot.backfill.request()
    assert not since.is_done
    desk.miss(7)
    desk.read()
    for order in (since, new):
        assert (order.is_done, order.channels) == (True, 1)
    living = [post.create_at for post in desk.server.channels["one"].living()]
    told = since.posts, new.posts
    assert told[0] >= len([at for at in living if at >= half]), told
    assert told[0] <= len(living) and told[1] >= 7, (told, len(living))
    assert desk.bot.backfill.state == "1 of 1 channels read"


def test_an_order_lasts_until_its_channel_can_be_read(desk: Desk) -> None:
    def fail(call: str) -> None:
        raise Busy("get posts", Answer(503))

    order = desk.bot.backfill.request("one", 1)
    desk.server.on_call = fail
    with pytest.raises(Busy):
        desk.read()
    assert not order.is_done
    assert desk.bot.backfill.state == "asks which channels there are"
    desk.server.on_call = lambda call: None
    desk.read()
    assert (order.is_done, order.channels) == (True, 1)


def test_an_order_for_what_cannot_be_read_ends_with_nothing(desk: Desk) -> None:
    def forbid(call: str) -> None:
        if call.startswith("newest"):
            raise Forbidden("get posts", Answer(403))

    desk.server.on_call = forbid
    forbidden = desk.bot.backfill.request("one", 1)
    unknown = desk.bot.backfill.request("nowhere", 1)
    desk.read()
    for order in (forbidden, unknown):
        assert (order.is_done, order.channels, order.posts) == (True, 0, 0)


def test_progress_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    tell = desk.bot.health.tell

    def note(part: str, state: str, *, is_ready: bool) -> None:
        shown.append(state)
        tell(part, state, is_ready=is_ready)

    monkeypatch.setattr(desk.bot.health, "tell", note)
    desk.miss(9)
    desk.read()
    assert {state.split(":")[0] for state in shown} >= {"new posts", "edits"}
    assert max(int(state.split()[-2]) for state in shown if "posts" in state) >= 9
    assert desk.bot.health.parts()["backfill"] == "1 of 1 channels read"


def test_a_channel_that_was_archived_while_away_is_read_to_its_end(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    missed = desk.miss(9)
    desk.server.channels["one"].is_archived = True
    desk.read()
    assert set(missed) <= set(desk.store.posts)
    assert desk.mark[1] < desk.store.number
    assert "no access" not in caplog.text
    assert desk.calls(desk.read) == ["channels"]


# Failures.


def test_a_channel_that_may_not_be_read_is_told_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def forbid(call: str) -> None:
        if call.startswith("newest"):
            raise Forbidden("get posts", Answer(403))

    desk.miss(1)
    desk.server.on_call = forbid
    assert desk.read()
    assert desk.read()
    assert caplog.text.count("no access") == 1
    assert {("one", "access"), ("one", "posts")} <= desk.store.gaps.keys()


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
            number = f"request{len(desk.server.calls)}"
            raise Busy("get posts", Answer(503, request_id=number))

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
        self._stop = stop
        try:
            return self._read(stop)
        finally:
            with self._one_more:
                self.passes += 1
                self._one_more.notify_all()

    def stop(self) -> None:
        """Tell it to stop, and do not wait."""
        self._stop.set()

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


def test_what_ended_it_for_good_is_tried_again_at_once(desk: Desk) -> None:
    """The supervisor's pause comes before it, not the next connection."""
    desk.miss(3)

    def moved(call: str) -> None:
        if running.passes < 1:
            raise Rejected("get channels", Answer(302))

    desk.server.on_call = moved
    running = Running(desk.bot.backfill)
    with running:
        running.wait(2)
    assert desk.bot.health.parts()["backfill"] == "1 of 1 channels read"


def test_a_refused_token_is_a_state(desk: Desk) -> None:
    def refuse(call: str) -> None:
        raise Unauthorised("get channels", Answer(401))

    desk.server.on_call = refuse
    turn = partial(desk.bot.backfill._turn, Backoff(), Stop())
    assert turn() == REFUSED_S
    assert desk.bot.health.parts()["backfill"] == "unauthorised"
    assert not desk.bot.health.is_ready
    desk.server.on_call = lambda call: None
    assert turn() > REFUSED_S
    assert desk.bot.health.is_ready


@pytest.mark.parametrize("where", ["channels", "newest"])
def test_what_a_stop_cuts_off_is_no_failure(
    desk: Desk, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    desk.miss(3)

    def stop(call: str) -> None:
        if call.startswith(where):
            running.stop()
            raise Busy("get posts", "malexbot stops")

    desk.server.on_call = stop
    running = Running(desk.bot.backfill)
    with running:
        running.wait(1)
    assert "tried again" not in caplog.text


def test_it_stops_at_once_while_it_waits(desk: Desk) -> None:
    with Running(desk.bot.backfill):
        pass
