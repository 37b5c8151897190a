from __future__ import annotations

import math

from malexbot.runtime.deadline import Deadline


def test_counts_down_and_is_never_negative() -> None:
    assert 9 < Deadline(10).left_s <= 10
    assert Deadline(-1).left_s == 0
    assert Deadline(-1).is_over


def test_never_does_not_come() -> None:
    assert Deadline.never().left_s == math.inf
    assert not Deadline.never().is_over


def test_whoever_shares_it_sees_it_ended() -> None:
    deadline = Deadline(60)
    shared = deadline
    deadline.end_now()
    assert shared.is_over
    assert shared.left_s == 0
