"""How far those are who read the bus, as a number each."""

from __future__ import annotations

from malexbot.consumers.readings import register_bus
from malexbot.consumers.survey import GroupState, StreamState
from malexbot.consumers.trimming import Trimming
from malexbot.runtime.metrics import Metrics
from tests.runtime.test_metrics import parsed


def test_how_far_who_reads_the_bus_is() -> None:
    metrics, trimming = Metrics(), Trimming(lambda: None)
    register_bus(metrics, trimming)
    assert of_bus(metrics) == {"malexbot_bus_lost_total": {(): 0}}
    trimming.lost = 7
    knows, knows_not = ("a", 1, 2, 3, 4.5, "0-1"), ("b", 1, 0, None, 0.5, "0-1")
    groups = [GroupState(*knows), GroupState(*knows_not)]
    trimming.states = [StreamState("command", 5, 9.0, groups)]
    a, b = ("a", "command"), ("b", "command")
    assert of_bus(metrics) == {
        "malexbot_bus_entries": {("command",): 5},
        "malexbot_bus_unread": {a: 3},
        "malexbot_bus_pending": {a: 2, b: 0},
        "malexbot_bus_behind_seconds": {a: 4.5, b: 0.5},
        "malexbot_bus_lost_total": {(): 7},
    }


def of_bus(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    told = parsed(metrics).items()
    return {name: values for name, values in told if "_bus_" in name}
