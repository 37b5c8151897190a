"""A suite that takes longer than its budget fails the run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.budgets import BUDGETS_S, FIRST, Budgets, turn

TESTS = Path(__file__).parents[1]


def spent(suite: str, seconds: float) -> Any:
    return SimpleNamespace(
        location=(f"tests/{suite}/test_x.py", 1, ""), duration=seconds
    )


def session_with(**config: object) -> Any:
    return SimpleNamespace(
        exitstatus=pytest.ExitCode.OK, config=SimpleNamespace(**config)
    )


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (BUDGETS_S["web"] - 1, pytest.ExitCode.OK),
        (BUDGETS_S["web"] + 1, pytest.ExitCode.TESTS_FAILED),
    ],
)
def test_over_budget_fails(seconds: float, status: pytest.ExitCode) -> None:
    budgets = Budgets()
    budgets.pytest_runtest_logreport(spent("web", seconds / 2))
    budgets.pytest_runtest_logreport(spent("web", seconds / 2))
    session: Any = session_with()
    budgets.pytest_sessionfinish(session)
    assert session.exitstatus is status


def test_a_suite_without_a_budget_is_over_it() -> None:
    budgets = Budgets()
    budgets.pytest_runtest_logreport(spent("new", 0.1))
    assert budgets.over() == {"new"}


def test_the_whole_run_has_a_budget_too() -> None:
    assert Budgets(whole_s=0).over() == {"all"}


def test_one_of_several_that_test_side_by_side_leaves_the_verdict_to_the_first() -> (
    None
):
    budgets = Budgets(whole_s=0)
    session: Any = session_with(workerinput={})
    budgets.pytest_sessionfinish(session)
    assert session.exitstatus is pytest.ExitCode.OK


def test_the_longest_file_begins_before_its_suite_and_that_before_others() -> None:
    files = ("web/test_x.py", "faults/test_x.py", "faults/test_planted.py")
    turns = [turn(f"tests/{file}") for file in files]
    assert turns == sorted(set(turns), reverse=True)


@pytest.mark.parametrize("first", FIRST)
def test_what_begins_first_is_there(first: str) -> None:
    assert (TESTS / first).exists()
