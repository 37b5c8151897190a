"""How long each suite of tests may take; over its budget the run fails.

A suite is a folder of tests/. The budgets are about three times what was measured
on two shared cores: they catch a suite that grows, not a machine that is busy, be it
with the other suites.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

BUDGETS_S = {
    "bench": 160,
    "browser": 240,
    "bus": 30,
    "cli": 450,
    "config": 60,
    "consumers": 100,
    "crash": 450,
    "faults": 1400,
    "fuzz": 150,
    "house": 90,
    "messengers": 180,
    "pipeline": 60,
    "plugins": 120,
    "process": 600,
    "promises": 80,
    "processors": 30,
    "rules": 30,
    "runtime": 60,
    "sandbox": 150,
    "service": 300,
    "simulation": 240,
    "soak": 150,
    "storage": 500,
    "web": 150,
}

# All of it by the clock, however many tests run side by side; with the linters and the
# installation a quarter of an hour.
WHOLE_S = 820


class Budgets:
    """Adds up what the tests of each suite took, with their setup and teardown."""

    def __init__(self, whole_s: float = WHOLE_S) -> None:
        self._most_s = whole_s
        self.spent_s: Counter[str] = Counter()
        self._began = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        suite = Path(report.location[0]).parts[1]
        self.spent_s[suite] += report.duration

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        is_worker = hasattr(session.config, "workerinput")
        if is_worker or session.exitstatus != pytest.ExitCode.OK:
            return
        if self.over():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        terminalreporter.section("time by suite")
        for suite, spent in sorted(self.spent_s.items()):
            mark = "  OVER BUDGET" if suite in self.over() else ""
            budget = BUDGETS_S.get(suite, 0)
            terminalreporter.line(f"{suite:<10} {spent:6.1f} s of {budget} s{mark}")

        mark = "  OVER BUDGET" if "all" in self.over() else ""
        terminalreporter.line(
            f"{'all':<10} {self._whole_s():6.1f} s of {WHOLE_S} s{mark}"
        )

    def over(self) -> set[str]:
        over = {s for s, spent in self.spent_s.items() if spent > BUDGETS_S.get(s, 0)}
        return over | ({"all"} if self._whole_s() > self._most_s else set())

    def _whole_s(self) -> float:
        return time.monotonic() - self._began


# Those of one file run one after the other. Two files take minutes, in which they wait
# most of the time: meanwhile the others do what costs work.
FIRST = (
    "faults/test_planted.py",
    "faults/test_run.py",
    "service/test_service.py",
    "storage",
    "faults",
    "crash",
    "process",
    "bench",
    "cli",
    "simulation",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: turn(item.location[0]))


def turn(file: str) -> int:
    """When it begins."""
    path = Path(file).relative_to("tests")
    turns = (at for at, first in enumerate(FIRST) if path.is_relative_to(first))
    return next(turns, len(FIRST))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budgets(), "budgets")
