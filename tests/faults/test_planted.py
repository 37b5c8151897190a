"""The runner proves itself: a planted bug is found by a plan that aims at it."""

from __future__ import annotations

from collections.abc import Sequence

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
# By the bug: what goes wrong, and what is wrong then.
AIMED: dict[str, tuple[set[str], Sequence[Planned]]] = {
    # What was said while it was down is older than a mark that live posts have
    # raised, by more than a walk goes back, and the newest page does not show it.
    "a_mark_moves_past_a_gap": (
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
    # It died with an answer on its way, and the server has forgotten the key.
    "no_look_up_before_a_repeated_send": (
        {"answered twice", "done twice"},
        [at(2, "daemon: killed after a POST", DEDUPE_S + 2, 1)],
    ),
    # Nothing has to go wrong for that.
    "a_button_is_never_used_up": ({"done twice"}, [at(15, "people: a flood", 0, 100)]),
    # What became visible while it was down is older than the mark, and the newest
    # page does not show it.
    "no_overlap": (
        {"lost"},
        [
            at(2, "daemon: SIGKILL", 3),
            at(3.5, "people: late commits", 0, 20),
            at(4, "people: a flood", 0, 400),
        ],
    ),
}


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    act = kill_at_commit("after", "mark_id = live.post_id")
    monkeypatch.setitem(run.ACTS, MARKED.name, act)


def test_there_is_a_plan_for_each_bug() -> None:
    assert AIMED.keys() == BUGS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("bug", AIMED)
def test_a_planted_bug_is_found(bug: str) -> None:
    told, plan = AIMED[bug]
    with grounded(program(bug)) as ground:
        outcome = play(ground, plan, SEED, cuts=0)
    assert told & outcome.wrong.keys(), outcome


@pytest.mark.slow
@pytest.mark.parametrize("bug", AIMED)
def test_without_the_bug_nothing_is_wrong(bug: str) -> None:
    _, plan = AIMED[bug]
    with grounded(PROGRAM) as ground:
        outcome = play(ground, plan, SEED, cuts=0)
    assert outcome.is_right, outcome.wrong


@pytest.mark.slow
def test_each_kind_of_leak_is_found() -> None:
    """That nothing is found where nothing leaks, each run without a bug shows."""
    with grounded(program(*LEAKS)) as ground:
        outcome = play(ground, [], SEED)
    told = "\n".join(outcome.wrong["leaked"])
    assert outcome.wrong.keys() == {"leaked"}, outcome.wrong
    assert all(kind in told for kind in Footprint._fields), told
