from __future__ import annotations

from dataclasses import replace

import pytest

from malexbot.errors import Misconfigured, Permanent, Transient, Uncertain
from malexbot.pipeline.hold import Revoked, TooLate
from malexbot.pipeline.verdicts import (
    LONGEST_WAIT_S,
    LOOK_AFTER_S,
    REPEAT_WITHIN_S,
    Again,
    Ended,
    Expired,
    Postponed,
    is_repeatable,
    overrun,
    uncertain_wait_s,
    verdict,
    wait_s,
)
from malexbot.ports import LeaseLost
from tests.support.queue import job


class Busy(Transient):
    """Asks for ten minutes."""

    @property
    def retry_after_s(self) -> float | None:
        return 600


class Crowded(Transient):
    """Nothing more may go there now."""

    is_of_target = True


@pytest.mark.parametrize("failures", [0, 5, 500])
def test_what_may_heal_is_tried_again_for_ever(failures: int) -> None:
    found = verdict(job(failures=failures), Transient("away"))
    assert isinstance(found, Again)
    assert 0 <= found.wait_s <= LONGEST_WAIT_S
    assert (found.reason, found.is_uncertain) == ("away", False)


def test_waits_grow_from_failure_to_failure() -> None:
    def longest(failures: int) -> float:
        return max(wait_s(job(failures=failures)) for _ in range(300))

    assert longest(0) <= 1
    assert 4 < longest(3) <= 8
    assert 50 < longest(100) <= LONGEST_WAIT_S


def test_what_only_waited_for_its_target_has_not_failed() -> None:
    waited = replace(job(failures=30), failing_s=0)
    assert max(wait_s(waited) for _ in range(300)) <= 1
    assert isinstance(verdict(waited, RuntimeError("odd")), Again)
    assert isinstance(overrun(waited, 60), Again)
    failing = replace(waited, failing_s=7)
    assert 4 < max(wait_s(failing) for _ in range(300)) <= 8


def test_the_other_side_may_ask_for_a_longer_wait() -> None:
    found = verdict(job(), Busy("429"))
    assert isinstance(found, Again)
    assert found.wait_s == 600


def test_what_holds_of_all_that_goes_there_is_no_failure_of_the_job() -> None:
    found = verdict(job(), Crowded("20 a second"))
    assert isinstance(found, Again)
    assert (found.is_failure, found.is_of_target) == (False, True)
    plain = verdict(job(), Transient("away"))
    assert isinstance(plain, Again)
    assert (plain.is_failure, plain.is_of_target) == (True, False)


@pytest.mark.parametrize("error", [Permanent("no such channel"), Misconfigured("x")])
def test_what_never_works_is_dead_with_its_reason(error: Exception) -> None:
    assert verdict(job(), error) == Ended("dead", str(error))


def test_what_is_too_late_is_expired() -> None:
    assert verdict(job(), Expired("too old")) == Ended("expired", "too old")


def test_nobody_knows_is_never_repeated_blindly() -> None:
    found = verdict(job(), Uncertain("line broke"))
    assert found == Ended("dead", "nobody knows whether it was done: line broke")


def test_who_lost_the_job_has_no_say() -> None:
    for error in (Revoked("slow"), LeaseLost("gone"), TooLate("soon")):
        assert verdict(job(), error) is None


def test_who_knows_when_says_when() -> None:
    again = Again(42, "later", is_uncertain=True)
    assert verdict(job(), Postponed(again)) is again


def test_a_fault_is_tried_three_times() -> None:
    error = ZeroDivisionError("division by zero")
    assert isinstance(verdict(job(failures=1), error), Again)
    reason = "ZeroDivisionError: division by zero"
    dead = Ended("dead", reason, is_fault=True)
    assert verdict(job(failures=2), error) == dead


class Speechless(Exception):
    """Has a fault of its own."""

    def __str__(self) -> str:
        raise SystemExit(2)


def test_an_error_that_cannot_be_told_has_its_name() -> None:
    dead = Ended("dead", "Speechless, which cannot tell why", is_fault=True)
    assert verdict(job(failures=2), Speechless()) == dead


def test_a_handler_that_hangs_is_tried_three_times() -> None:
    again = overrun(job(failures=1), 60)
    assert isinstance(again, Again) and again.is_uncertain
    assert overrun(job(failures=2), 60) == Ended("dead", "took longer than 60 s")


@pytest.mark.parametrize("ago_s", [0, 10, 24, 25, 40, 59, 80])
@pytest.mark.parametrize("failures", [0, 2, 9])
def test_an_uncertain_send_is_never_repeated_between_25_and_60_s(
    ago_s: float, failures: int
) -> None:
    for _ in range(50):
        waits = uncertain_wait_s(
            job(failures=failures), Uncertain("?"), sent_ago_s=ago_s, time_out_s=2
        )
        at_s = ago_s + waits
        assert waits >= 0
        assert at_s <= REPEAT_WITHIN_S or at_s >= LOOK_AFTER_S


def test_a_repeat_arrives_while_its_key_is_known() -> None:
    assert is_repeatable(25, time_out_s=5)
    assert not is_repeatable(25.1, time_out_s=1)
    assert is_repeatable(20, time_out_s=10)
    assert not is_repeatable(20.1, time_out_s=10)
    assert not is_repeatable(0, time_out_s=31)
