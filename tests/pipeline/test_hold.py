from __future__ import annotations

import pytest

from malexbot.pipeline.hold import Hold, Revoked, TooLate


def hold(lease_s: float = 60) -> Hold:
    return Hold(lease_s=lease_s, time_out_s=30)


def test_a_job_is_ended_once() -> None:
    held = hold()
    assert not held.is_ending
    assert held.take()
    assert held.is_ending
    assert not held.take()
    assert not held.revoke()
    held.check()


def test_a_handler_that_was_given_up_learns_it_and_ends_nothing() -> None:
    held = hold()
    assert held.revoke()
    assert not held.take()
    with pytest.raises(Revoked):
        held.check()
    with pytest.raises(Revoked):
        held.check_for(1)


def test_a_step_is_taken_only_if_the_lease_outlasts_it() -> None:
    hold(60).check_for(10)
    with pytest.raises(TooLate):
        hold(9.9).check_for(10)


def test_who_gives_it_back_may_take_it_again_or_lose_it() -> None:
    hold = Hold(lease_s=90, time_out_s=60)
    assert hold.take()
    hold.give_back()
    assert hold.take()
    hold.give_back()
    assert hold.revoke() and not hold.take()
