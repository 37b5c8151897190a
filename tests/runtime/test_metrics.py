"""The readings as Prometheus and as a program read them."""

from __future__ import annotations

import logging
import os

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from malexbot.errors import Transient
from malexbot.runtime.metrics import Metrics


def parsed(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """The values by name, and by the values of their labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            of_name = found.setdefault(sample.name, {})
            labels = tuple(sample.labels.values())
            assert labels not in of_name, "a scrape with a repetition is refused"
            of_name[labels] = sample.value
    return found


def unreachable() -> float:
    raise Transient("the database is away")


def test_a_number_is_read_when_it_is_asked_for() -> None:
    metrics, numbers = Metrics(), [1]
    metrics.gauge("depth", "How deep.", lambda: numbers[-1])
    assert parsed(metrics)["malexbot_depth"] == {(): 1}
    numbers.append(2)
    assert parsed(metrics)["malexbot_depth"] == {(): 2}


def test_kind_and_help_are_told() -> None:
    metrics = Metrics()
    metrics.counter("events", "What came in.", lambda: 3)
    metrics.gauge("depth", "How deep.", lambda: 1.5)
    text = metrics.text().decode()
    assert "# TYPE malexbot_events_total counter\n" in text
    assert "# HELP malexbot_events_total What came in.\n" in text
    assert "# TYPE malexbot_depth gauge\n" in text
    assert parsed(metrics)["malexbot_events_total"] == {(): 3}


def test_each_combination_of_labels_has_its_number() -> None:
    metrics = Metrics()
    lag = {("c1", "Town"): 0, ("c2", "Off-Topic"): 2.5}
    metrics.gauge("lag", "How late.", lambda: lag, labels=["channel", "name"])
    assert parsed(metrics)["malexbot_lag"] == lag
    assert metrics.numbers()["malexbot_lag"] == [
        {"labels": {"channel": "c1", "name": "Town"}, "value": 0},
        {"labels": {"channel": "c2", "name": "Off-Topic"}, "value": 2.5},
    ]


def test_what_a_server_may_send_does_not_break_the_page() -> None:
    metrics = Metrics()
    names = ['a"b\\c\nd', "\ud800", "\0", "\N{SNOWMAN}", "x" * 100_000]
    metrics.gauge(
        "seen", "Names.", lambda: {(name,): 1 for name in names}, labels=["name"]
    )
    found = parsed(metrics)["malexbot_seen"]
    assert {('a"b\\c\nd',), ("\N{SNOWMAN}",), ("\\ud800",)} < set(found)
    assert len(found) == len(names)


def test_what_cannot_be_read_is_named_and_hides_nothing() -> None:
    metrics = Metrics()
    metrics.gauge("before", "One.", lambda: 1)
    metrics.gauge("rows", "In the database.", unreachable)
    metrics.counter("after", "Two.", lambda: 2)
    found = parsed(metrics)
    assert found["malexbot_before"] and found["malexbot_after_total"]
    assert "malexbot_rows" not in found
    assert found["malexbot_reading_failed"] == {("rows",): 1}
    assert "malexbot_rows" not in metrics.numbers()


def test_what_is_no_number_is_a_failure_too() -> None:
    metrics = Metrics()
    metrics.gauge("odd", "Odd.", lambda: "many")  # type: ignore[arg-type, return-value]
    metrics.gauge("even", "Even.", lambda: 2)
    found = parsed(metrics)
    assert found["malexbot_reading_failed"] == {("odd",): 1}
    assert found["malexbot_even"] == {(): 2}


def test_a_fault_is_logged_once_and_an_outage_not_at_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    metrics.gauge("broken", "Broken.", lambda: 1 / 0)
    metrics.gauge("rows", "In the database.", unreachable)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            metrics.text()
    (record,) = caplog.records
    assert record.levelname == "ERROR" and "broken" in record.message
    assert record.exc_info


def test_the_process_tells_of_itself() -> None:
    found = parsed(Metrics())
    assert 0 < found["process_resident_memory_bytes"][()] < 2**40
    assert found["process_start_time_seconds"][()] > 1_600_000_000
    assert found["process_open_fds"][()] <= len(os.listdir("/proc/self/fd")) + 1


def test_nothing_of_it_is_global() -> None:
    one, other = Metrics(), Metrics()
    one.gauge("mine", "Mine.", lambda: 1)
    assert "malexbot_mine" not in parsed(other)
    assert not [f for f in REGISTRY.collect() if f.name.startswith("malexbot")]
