"""The runner proves itself: a planted bug is found by a plan that aims at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.faults import run
from tests.faults.footprint import Footprint
from tests.faults.ground import DEDUPE_S, grounded
from tests.faults.hasty import PROGRAM
from tests.faults.on_daemon import kill_at_commit
from tests.faults.plan import Kind, Planned, at
from tests.faults.planted import BUGS, LEAKS, program
from tests.faults.run import play

SEED = 1
# Once live posts may have raised a mark so often.
MARKED = Kind("daemon: killed after a mark", 0, frozenset({"daemon", "line"}))
# What aims at one thing needs no crowd.
PACE = 0.2


class Aim(NamedTuple):
    """What goes wrong, and what is wrong then, of these at least one."""

    told: set[str]
    plan: Sequence[Planned]
    pace: float = PACE


# By the bug; what sets the clock comes last.
AIMED = {
    # Nothing has to go wrong for that.
    "a_button_is_never_used_up": Aim(
        {"done twice"}, [at(8, "people: a flood", 0, 100)], pace=1.0
    ),
    # It died with an answer on its way, and the server has forgotten the key.
    "no_look_up_before_a_repeated_send": Aim(
        {"answered twice", "done twice"},
        [at(2, "daemon: killed after a POST", DEDUPE_S + 2, 1)],
    ),
    # What became visible while it was down is older than the mark, and the newest
    # page does not show it.
    "no_overlap": Aim(
        {"lost"},
        [
            at(2, "daemon: SIGKILL", 3),
            at(3.5, "people: late commits", 0, 20),
            at(4, "people: a flood", 0, 400),
        ],
    ),
    # What was said while it was down is older than a mark that live posts have
    # raised, by more than a walk goes back, and the newest page does not show it.
    "a_mark_moves_past_a_gap": Aim(
        {"lost", "wrong"},
        [
            at(2, "daemon: SIGKILL", 4),
            at(5.5, "server: clock step", 0, 120),
            # However long its start takes: it hears, but has read nothing yet.
            at(5.8, "server: slow", 10),
            Planned(6.1, MARKED, 10, 6),
            at(14, "people: a flood", 0, 300),
        ],
    ),
}
# Between two plans of one daemon: it has read what was said late by then.
REST_S = 5.0


def one_after_the_other(plans: Iterable[Sequence[Planned]]) -> Iterator[Planned]:
    begin_s = 0.0
    for plan in plans:
        yield from (replace(each, at_s=begin_s + each.at_s) for each in plan)
        begin_s += max(each.until_s for each in plan) + REST_S


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    act = kill_at_commit("after", "mark_id = live.post_id")
    monkeypatch.setitem(run.ACTS, MARKED.name, act)


def test_there_is_a_plan_for_each_bug() -> None:
    assert AIMED.keys() == BUGS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("bug", AIMED)
def test_a_planted_bug_is_found(bug: str) -> None:
    aim = AIMED[bug]
    with grounded(program(bug)) as ground:
        outcome = play(ground, aim.plan, SEED, cuts=0, pace=aim.pace)
    assert aim.told & outcome.wrong.keys(), outcome


@pytest.mark.slow
def test_without_a_bug_nothing_is_wrong() -> None:
    plan = [*one_after_the_other(aim.plan for aim in AIMED.values())]
    with grounded(PROGRAM) as ground:
        outcome = play(ground, plan, SEED, cuts=0, pace=PACE)
    assert outcome.is_right, outcome.wrong


@pytest.mark.slow
def test_each_kind_of_leak_is_found() -> None:
    """That nothing is found where nothing leaks, each run without a bug shows."""
    with grounded(program(*LEAKS)) as ground:
        outcome = play(ground, [], SEED, pace=PACE)
    told = "\n".join(outcome.wrong["leaked"])
    assert outcome.wrong.keys() == {"leaked"}, outcome.wrong
    assert all(kind in told for kind in Footprint._fields), told
