"""How much of the processor each suite of tests may take; over it the run fails.

A suite is a folder of tests/. What a test takes by the clock tells as much of the
machine and of its neighbours as of the test; so what counts is the time of the
processor, of the tests and of the children they waited for. The budgets are about
three times what was measured on two shared cores: they catch a suite that grows, not
a machine that is slow. What the clock said is told beside it.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

BUDGETS_S = {
    "bench": 80,
    "browser": 40,
    "bus": 10,
    "cli": 180,
    "config": 30,
    "consumers": 30,
    "crash": 250,
    "faults": 900,
    "fuzz": 90,
    "house": 40,
    "messengers": 60,
    "pipeline": 20,
    "plugins": 50,
    "process": 250,
    "promises": 30,
    "processors": 10,
    "rules": 20,
    "runtime": 10,
    "sandbox": 100,
    "service": 250,
    "simulation": 70,
    "soak": 30,
    "storage": 150,
    "web": 50,
}

# All of them; on two cores, with the linters and the installation, no more than a
# quarter of an hour.
WHOLE_S = 1400


class Meter:
    """Notes in each report what a part of a test took of the processor."""

    def __init__(self) -> None:
        self._before_s = 0.0

    def pytest_runtest_logstart(self) -> None:
        self._take_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(
        self, nextitem: pytest.Item | None
    ) -> Generator[None, None, None]:
        """After the last test all ends that lasted as long as they: of no suite."""
        yield
        if nextitem is None:
            self._take_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        vars(report)["cpu_s"] = self._take_s()
        return report

    def _take_s(self) -> float:
        """Since it was asked before."""
        before_s, self._before_s = self._before_s, _used_s()
        return self._before_s - before_s


def _used_s() -> float:
    """By this process, and by the children that it has waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


class Budgets:
    """Adds up what the tests of each suite took, with their setup and teardown."""

    def __init__(self, whole_s: float = WHOLE_S) -> None:
        self._most_s = whole_s
        self.spent_s: Counter[str] = Counter()
        self._lasted_s: Counter[str] = Counter()
        self._began = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        suite = Path(report.location[0]).parts[1]
        # Who is killed in the middle of it has not told.
        self.spent_s[suite] += getattr(report, "cpu_s", 0.0)
        self._lasted_s[suite] += report.duration

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
        terminalreporter.section("time of the processor by suite")
        for suite, spent_s in sorted(self.spent_s.items()):
            budget_s, lasted_s = BUDGETS_S.get(suite, 0), self._lasted_s[suite]
            terminalreporter.line(self._told(suite, spent_s, budget_s, lasted_s))
        whole_s = time.monotonic() - self._began
        spent_s = self.spent_s.total()
        terminalreporter.line(self._told("all", spent_s, self._most_s, whole_s))

    def _told(self, what: str, spent_s: float, budget_s: float, clock_s: float) -> str:
        mark = "  OVER BUDGET" if what in self.over() else ""
        spent = f"{what:<10} {spent_s:6.1f} s of {budget_s:4} s"
        return f"{spent}, {clock_s:6.1f} s by the clock{mark}"

    def over(self) -> set[str]:
        over = {s for s, spent in self.spent_s.items() if spent > BUDGETS_S.get(s, 0)}
        return over | ({"all"} if self.spent_s.total() > self._most_s else set())


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
    files = {item.location[0] for item in items}
    turns = {file: turn(file) for file in files}
    items.sort(key=lambda item: turns[item.location[0]])


def turn(file: str) -> int:
    """When it begins."""
    path = Path(file).relative_to("tests")
    turns = (at for at, first in enumerate(FIRST) if path.is_relative_to(first))
    return next(turns, len(FIRST))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Meter(), "meter")
    config.pluginmanager.register(Budgets(), "budgets")
