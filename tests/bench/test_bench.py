"""The bench measures all its rows, and tells ratios, goals and spread rightly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.chart import chart
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.report import as_markdown
from tests.bench.rows import ROWS

ROOT = Path(__file__).parents[2]


def figure(goal: Goal | None = None) -> Figure:
    return Figure(
        row="archive",
        name="speed <1>",
        unit="events/s",
        ours=[20.0, 30.0, 10.0],
        beside=[10.0, 10.0, 10.0],
        goal=goal,
    )


@pytest.mark.slow
def test_a_quick_run_measures_every_row(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--width", "120"]
    subprocess.run([*command, "--out", str(tmp_path)], cwd=ROOT, check=True)
    told = json.loads((tmp_path / "bench.json").read_text())
    assert list(dict.fromkeys(each["row"] for each in told["figures"])) == list(ROWS)
    # A clock of 10 ms may see no CPU at all in so short a run, and a cache no call.
    measured = [
        each
        for each in told["figures"]
        if not {"CPU", "calls"} & {*each["name"].split()}
    ]
    assert all(min(each["ours"]) > 0 for each in measured)
    drawn = (tmp_path / "bench.svg").read_text()
    assert all(f">{name}: " in drawn for name in ROWS if name != "idle")


def test_the_table_is_written_for_a_readme() -> None:
    told = as_markdown([figure(Goal(2.0, is_least=True))], {"cores": "2"}).splitlines()
    assert told[2] == (
        "| archive | speed <1> | 20 events/s | 10 () | 2  (1 – 3) | ≥ 2 ✓ |"
    )
    assert told[-1] == "(cores: 2)"


def test_an_unknown_row_is_refused() -> None:
    command = [sys.executable, "-m", "tests.bench", "archives"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "there are archive, filter" in run.stderr


def test_a_ratio_is_of_two_that_were_measured_in_turn() -> None:
    assert figure().ratios == [2.0, 3.0, 1.0]
    judged = figure().judged
    assert (judged.median, judged.least, judged.most) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (Goal(2.0, is_least=True), True),
        (Goal(2.1, is_least=True), False),
        (Goal(2.0), True),
        (Goal(1.9), False),
    ],
)
def test_the_goal_is_for_the_median(goal: Goal, is_met: bool) -> None:
    assert figure(goal).is_met is is_met


def test_what_has_nothing_beside_it_is_judged_by_itself() -> None:
    alone = Figure(row="idle", name="x", unit="s", ours=[1, 3, 2], goal=Goal(2))
    assert alone.ratios == []
    assert alone.is_met


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.5) == 50
    assert percentile([7.0], 0.99) == 7


def test_the_chart_is_xml_whatever_the_names_are() -> None:
    tree = ElementTree.fromstring(chart([figure(Goal(1.0))]))
    texts = [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "archive: speed <1>" in texts
