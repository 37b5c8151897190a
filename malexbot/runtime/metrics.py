"""Readings: the numbers of the daemon, read when somebody asks for them.

Nobody pushes a number anywhere: a part keeps plain ones, and a reading is how to get
at them. What fails to be read is left out and named, so one part that is ill never
hides the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from malexbot.errors import MalexbotError

log = logging.getLogger(__name__)

PREFIX = "malexbot_"
FAILED = f"{PREFIX}reading_failed"

Labelled = Mapping[tuple[str, ...], float]
Read = Callable[[], float | Labelled]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, or one for each combination of labels; names without the prefix."""

    name: str
    told: str
    read: Read
    labels: Sequence[str]
    family: type[CounterMetricFamily | GaugeMetricFamily]

    def take(self) -> Metric:
        found = self.read()
        family = self.family(PREFIX + self.name, self.told, labels=self.labels)
        rows = found if isinstance(found, Mapping) else {(): found}
        for labels, value in rows.items():
            family.add_metric([_sound(label) for label in labels], float(value))
        return family


class Metrics(Collector):
    """All readings; they are registered at the start and taken by any thread."""

    CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._faults: set[str] = set()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def counter(
        self, name: str, told: str, read: Read, *, labels: Sequence[str] = ()
    ) -> None:
        """It only rises while the daemon lives; its name is shown with `_total`."""
        self._readings.append(Reading(name, told, read, labels, CounterMetricFamily))

    def gauge(
        self, name: str, told: str, read: Read, *, labels: Sequence[str] = ()
    ) -> None:
        """It goes up and down."""
        self._readings.append(Reading(name, told, read, labels, GaugeMetricFamily))

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self._registry)

    def numbers(self) -> dict[str, Any]:
        """All of them under the same names; with labels, a list of labels and value."""
        found: dict[str, Any] = {}
        for family in self._registry.collect():
            for sample in family.samples:
                value = _short(sample.value)
                if sample.labels:
                    row = {"labels": sample.labels, "value": value}
                    found.setdefault(sample.name, []).append(row)
                else:
                    found[sample.name] = value
        return found

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        failed = GaugeMetricFamily(FAILED, "Could not be read now.", labels=["reading"])
        for reading in self._readings:
            try:
                family = reading.take()
            except Exception as error:
                failed.add_metric([reading.name], 1)
                self._tell(reading, error)
            else:
                yield family
        yield failed

    def _tell(self, reading: Reading, error: Exception) -> None:
        """What the world does to us others tell; a fault of ours is told once."""
        if isinstance(error, MalexbotError):
            log.debug("reading %s: %s", reading.name, error)
        elif reading.name not in self._faults:
            self._faults.add(reading.name)
            log.error("reading %s fails", reading.name, exc_info=error)


def _sound(label: str) -> str:
    """What a label may hold: a lone surrogate would break the whole page."""
    return label.encode("utf-8", "backslashreplace").decode()


def _short(value: float) -> float:
    return int(value) if float(value).is_integer() else value
