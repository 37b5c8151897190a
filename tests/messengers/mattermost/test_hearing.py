"""What was heard, and what that proves."""

from __future__ import annotations

from malexbot.messengers.mattermost.hearing import GRACE_MS, MOST_REMEMBERED, Hearing
from tests.simulation.desk import Desk, desk

__all__ = ["desk"]

NOW_MS = 1_700_000_000_000


def opened() -> Hearing:
    made = Hearing(lambda: NOW_MS)
    made.opened(1)
    return made


def test_an_answer_tells_how_far_was_heard_if_a_post_came_before_it() -> None:
    hearing = opened()
    hearing.answered(NOW_MS + 1)
    assert hearing.answered_at == 0
    hearing.heard("one", "p", NOW_MS + 2)
    hearing.answered(NOW_MS + 3)
    assert hearing.answered_at == NOW_MS + 3
    hearing.answered(NOW_MS + 4)
    assert hearing.answered_at == NOW_MS + 3


def test_one_post_that_was_not_told_puts_all_in_doubt(desk: Desk) -> None:
    hearing = desk.bot.hearing
    desk.server.advance(2 * GRACE_MS)
    desk.say()
    desk.server.ping()
    desk.bot.flush()
    assert hearing.answered_at
    assert desk.server.socket is not None
    missed = desk.say()[0]
    desk.server.socket.clear()
    desk.say()
    desk.server.advance(2 * GRACE_MS)
    desk.server.ping()
    desk.bot.flush()
    desk.read()
    assert missed in hearing.take_wish()
    assert hearing.answered_at == 0
    desk.bot.connect()
    desk.say()
    desk.server.ping()
    desk.bot.flush()
    assert hearing.answered_at


def test_what_was_compared_is_forgotten(desk: Desk) -> None:
    hearing = desk.bot.hearing
    desk.server.advance(2 * GRACE_MS)
    desk.say(3)
    desk.server.advance(2 * GRACE_MS)
    (late,) = desk.say()
    desk.bot.flush()
    desk.read()
    assert list(hearing._heard["one"]) == [late]
    desk.server.advance(2 * GRACE_MS)
    desk.say()
    desk.read()
    assert hearing.take_wish() == ""


def test_no_more_is_remembered_than_a_page_can_show() -> None:
    hearing = opened()
    for number in range(MOST_REMEMBERED + 5):
        hearing.heard("one", f"p{number}", NOW_MS + number)
    assert len(hearing._heard["one"]) == MOST_REMEMBERED
    assert "p4" not in hearing._heard["one"]


def test_what_is_heard_where_nobody_listens_is_not_remembered(desk: Desk) -> None:
    hearing = desk.bot.hearing
    hearing.heard("elsewhere", "p1", NOW_MS)
    desk.read()
    assert "elsewhere" not in hearing._heard
