"""A suite that takes more of the processor than its budget fails the run."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.budgets import BUDGETS_S, FIRST, Budgets, Meter, turn

TESTS = Path(__file__).parents[1]
# By the clock: whatever that says, a slow machine is no fault.
HOUR_S = 3600.0
WORK_S = 0.1


def spent(suite: str, seconds: float) -> Any:
    return SimpleNamespace(
        location=(f"tests/{suite}/test_x.py", 1, ""), cpu_s=seconds, duration=HOUR_S
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
    budgets = Budgets(whole_s=1)
    budgets.pytest_runtest_logreport(spent("web", 0.9))
    assert budgets.over() == set()
    budgets.pytest_runtest_logreport(spent("cli", 0.2))
    assert budgets.over() == {"all"}


def test_one_of_several_that_test_side_by_side_leaves_the_verdict_to_the_first() -> (
    None
):
    budgets = Budgets()
    budgets.pytest_runtest_logreport(spent("web", BUDGETS_S["web"] + 1))
    session: Any = session_with(workerinput={})
    budgets.pytest_sessionfinish(session)
    assert session.exitstatus is pytest.ExitCode.OK


def work() -> None:
    until = time.process_time() + WORK_S
    while time.process_time() < until:
        pass


def let_a_child_work() -> None:
    code = f"import time\nwhile time.process_time() < {WORK_S}: pass"
    subprocess.run([sys.executable, "-c", code], check=True)


def wait() -> None:
    threading.Event().wait(WORK_S)


def noted_s(meter: Meter) -> float:
    running = meter.pytest_runtest_makereport()
    next(running)
    report: Any = SimpleNamespace()
    with pytest.raises(StopIteration):
        running.send(report)
    return float(report.cpu_s)


def ended(meter: Meter, following: Any) -> Meter:
    """A test whose teardown works."""
    meter.pytest_runtest_logstart()
    running = meter.pytest_runtest_teardown(nextitem=following)
    next(running)
    work()
    with pytest.raises(StopIteration):
        next(running)
    return meter


@pytest.mark.parametrize("spend", [work, let_a_child_work])
def test_a_test_and_its_children_are_measured(spend: Callable[[], None]) -> None:
    meter = Meter()
    meter.pytest_runtest_logstart()
    spend()
    assert noted_s(meter) >= WORK_S
    wait()
    assert noted_s(meter) < WORK_S


def test_what_ends_after_the_last_test_is_of_no_suite() -> None:
    assert noted_s(ended(Meter(), following=object())) >= WORK_S
    assert noted_s(ended(Meter(), following=None)) < WORK_S


def test_the_longest_file_begins_before_its_suite_and_that_before_others() -> None:
    files = ("web/test_x.py", "faults/test_x.py", "faults/test_planted.py")
    turns = [turn(f"tests/{file}") for file in files]
    assert turns == sorted(set(turns), reverse=True)


@pytest.mark.parametrize("first", FIRST)
def test_what_begins_first_is_there(first: str) -> None:
    assert (TESTS / first).exists()
