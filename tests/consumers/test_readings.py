"""What an operator can read of targets, and of who reads the bus."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from malexbot.consumers.readings import register_bus, register_targets
from malexbot.consumers.survey import GroupState, StreamState
from malexbot.consumers.targets import Targets
from malexbot.consumers.trimming import Trimming
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from tests.runtime.test_metrics import parsed


def test_what_becomes_of_what_is_for_a_target() -> None:
    target = SimpleNamespace(
        name="redis",
        counted=lambda: [("delivered", 5), ("dead", 1), ("expired", 2)],
        failures=3,
        is_up=False,
    )
    metrics, targets = Metrics(), cast(Targets, SimpleNamespace(all=[target]))
    register_targets(metrics, targets, lambda: {"redis": 1, "http": 0})
    found = parsed(metrics)
    assert found["malexbot_target_events_total"] == {
        ("delivered", "redis"): 5,
        ("dead", "redis"): 1,
        ("expired", "redis"): 2,
    }
    assert found["malexbot_target_failures_total"] == {("redis",): 3}
    assert found["malexbot_target_up"] == {("redis",): 0}
    assert found["malexbot_target_waiting"] == {("redis",): 1, ("http",): 0}


def test_how_far_who_reads_the_bus_is() -> None:
    metrics, trimming = Metrics(), Trimming(lambda: None, Health())
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
