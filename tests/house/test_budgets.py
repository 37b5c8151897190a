"""A suite that takes longer than its budget fails the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.budgets import BUDGETS_S, WHOLE_S, Budgets


def spent(suite: str, seconds: float) -> Any:
    return SimpleNamespace(
        location=(f"tests/{suite}/test_x.py", 1, ""), duration=seconds
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
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    budgets.pytest_sessionfinish(session)
    assert session.exitstatus is status


def test_a_suite_without_a_budget_is_over_it() -> None:
    budgets = Budgets()
    budgets.pytest_runtest_logreport(spent("new", 0.1))
    assert budgets.over() == {"new"}


def test_all_suites_together_have_a_budget_too() -> None:
    budgets = Budgets()
    for suite, budget_s in BUDGETS_S.items():
        budgets.pytest_runtest_logreport(spent(suite, budget_s))
    assert sum(BUDGETS_S.values()) > WHOLE_S
    assert budgets.over() == {"all"}
