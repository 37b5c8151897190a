"""How checks are done: in order, within their time, whatever becomes of one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from malexbot.cli.doctor.checks import (
    Check,
    Finding,
    State,
    Theme,
    Verdict,
    advice,
    examine,
    fault,
    ok,
    unasked,
)
from malexbot.errors import Misconfigured, Transient


def raising(error: Exception) -> Callable[[], Verdict]:
    def ask() -> Verdict:
        raise error

    return ask


def found(*checks: Check, seconds: float = 10) -> list[Finding]:
    return list(examine([Theme(checks)], seconds=seconds))


def test_themes_are_told_in_order_though_they_are_done_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(word: str) -> Callable[[], Verdict]:
        def ask() -> Verdict:
            both.wait()
            return ok(word)

        return ask

    themes = [Theme([Check("a", meet("1"))]), Theme([Check("b", meet("2"))])]
    assert [(f.name, f.what) for f in examine(themes)] == [("a", "1"), ("b", "2")]


def test_a_finding_is_told_before_the_next_check_ends() -> None:
    may_end = threading.Event()

    def wait() -> Verdict:
        assert may_end.wait(10)
        return ok("late")

    findings = examine([Theme([Check("a", lambda: ok("soon")), Check("b", wait)])])
    assert next(findings).what == "soon"
    may_end.set()
    assert next(findings).what == "late"
    assert list(findings) == []


def test_a_check_that_hangs_is_given_up() -> None:
    ends = threading.Event()

    def hang() -> Verdict:
        ends.wait(30)
        return ok("too late")

    began = time.monotonic()
    first, second = found(
        Check("hangs", hang, limit_s=0.1, cure="look there"),
        Check("next", lambda: ok("asked")),
    )
    ends.set()
    assert time.monotonic() - began < 8
    assert first == Finding("hangs", State.FAULT, "no answer within 0 s", "look there")
    assert second.state is State.OK


def test_all_of_them_have_one_time_together() -> None:
    ends = threading.Event()

    def hang() -> Verdict:
        ends.wait(30)
        return ok("too late")

    first, second = found(
        Check("hangs", hang), Check("next", lambda: ok("asked")), seconds=0.1
    )
    ends.set()
    assert first.state is second.state is State.UNASKED
    assert "given up after 0 s: the others took all the time" in first.what
    assert "not asked: the others took all the time" in second.what


def test_what_would_leave_a_trace_is_not_begun_without_all_its_time() -> None:
    asked: list[str] = []

    def post() -> Verdict:
        asked.append("posted")
        return ok("posted")

    (finding,) = found(Check("send", post, limit_s=5, is_whole=True), seconds=4)
    assert (finding.state, asked) == (State.UNASKED, [])
    (finding,) = found(Check("send", post, limit_s=3, is_whole=True), seconds=4)
    assert (finding.state, asked) == (State.OK, ["posted"])


@pytest.mark.parametrize(
    ("error", "what", "cure"),
    [
        (Transient("away"), "away", "look"),
        (Misconfigured("no rights", "GRANT"), "no rights", "GRANT"),
        (ZeroDivisionError("by 0"), "the check broke: ZeroDivisionError('by 0')", ""),
    ],
)
def test_an_error_is_a_finding_and_the_others_go_on(
    error: Exception, what: str, cure: str
) -> None:
    first, second = found(
        Check("fails", raising(error), cure="look"), Check("next", lambda: ok("fine"))
    )
    assert (first.state, first.what) == (State.FAULT, what)
    assert first.cure == (cure or "look")
    assert second == Finding("next", State.OK, "fine")


def test_what_needs_what_failed_is_not_asked_down_the_line() -> None:
    asked: list[str] = []

    def never() -> Verdict:
        asked.append("x")
        return ok("x")

    *_, second, third = found(
        Check("server", lambda: fault("down", "start it"), lack="it is down"),
        Check("token", never, needs=("server",), lack="the token is refused"),
        Check("bot", never, needs=("token",)),
    )
    assert second.what == third.what == "not asked, since it is down"
    assert not asked


@pytest.mark.parametrize("verdict", [advice("meh", "better"), unasked("who knows")])
def test_only_a_fault_keeps_others_from_being_asked(verdict: Verdict) -> None:
    _, second = found(
        Check("first", lambda: verdict, lack="x"),
        Check("second", lambda: ok("asked"), needs=("first",)),
    )
    assert second.state is State.OK


def test_a_check_may_say_several_things() -> None:
    findings = found(Check("c", lambda: [fault("a", "1"), ok("b")]))
    assert [(f.name, f.what) for f in findings] == [("c", "a"), ("c", "b")]


def test_what_a_theme_has_opened_is_closed_when_all_is_told() -> None:
    closed: list[str] = []
    theme = Theme([Check("c", lambda: ok("open"))])
    theme.opened.callback(closed.append, "closed")
    assert len(list(examine([theme]))) == 1
    assert closed == ["closed"]
