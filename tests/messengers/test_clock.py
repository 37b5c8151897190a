from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from malexbot.messengers.clock import ServerClock


def test_until_told_it_is_our_own() -> None:
    assert abs(ServerClock().now_ms() - time.time() * 1000) < 1000


def test_any_answer_tells_it_as_well_as_it_can() -> None:
    clock = ServerClock()
    assert not clock.is_told
    clock.note_date("", sent_at=time.monotonic())
    assert clock.is_told


def test_an_error_without_a_date_is_of_nobody_who_knows_it() -> None:
    clock = ServerClock()
    clock.note_date("", sent_at=time.monotonic(), is_error=True)
    assert not clock.is_told
    clock.note_date(formatdate(5000), sent_at=time.monotonic(), is_error=True)
    assert clock.is_told


def test_a_pong_tells_it_to_the_millisecond() -> None:
    clock = ServerClock()
    clock.note_pong(1_000_000, sent_at=time.monotonic())
    assert 0 <= clock.now_ms() - 1_000_000 < 200


def test_a_date_tells_it_to_the_second() -> None:
    clock = ServerClock()
    clock.note_date(formatdate(5000, usegmt=True), sent_at=time.monotonic())
    assert 0 <= clock.now_ms() - 5_000_000 < 1000


def test_a_date_does_not_spoil_a_pong() -> None:
    clock = ServerClock()
    clock.note_pong(1_000_000, sent_at=time.monotonic())
    clock.note_date(formatdate(5000, usegmt=True), sent_at=time.monotonic())
    assert clock.now_ms() < 1_100_000


def test_an_odd_date_changes_nothing() -> None:
    clock = ServerClock()
    for date in ("", "yesterday", "Mon, 99 Foo 0000 99:99:99 GMT"):
        clock.note_date(date, sent_at=time.monotonic())
    assert abs(clock.now_ms() - time.time() * 1000) < 1000


class Asked(ServerClock):
    """Somebody reads the time the moment that it is told."""

    read_ms = 0

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "is_told" and value:
            self.read_ms = self.now_ms()


@pytest.mark.parametrize(
    "tell",
    [
        lambda clock: clock.note_pong(5_000_000, sent_at=time.monotonic()),
        lambda clock: clock.note_date(formatdate(5000), sent_at=time.monotonic()),
    ],
    ids=["pong", "date"],
)
def test_who_finds_it_told_reads_the_servers_time(
    tell: Callable[[ServerClock], object],
) -> None:
    clock = Asked()
    tell(clock)
    assert 0 <= clock.read_ms - 5_000_000 < 1000
