"""The numbers of what is delivered: by target, and by who reads the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from malexbot.consumers.targets import Targets
from malexbot.consumers.trimming import Trimming
from malexbot.runtime.fresh import Fresh
from malexbot.runtime.metrics import Metrics


def register_targets(
    metrics: Metrics, targets: Targets, count: Callable[[], Mapping[str, int]]
) -> None:
    """Once a daemon; `count` asks the database how many wait, by their kind."""
    metrics.counter(
        "target_events",
        "Events that were for a target, by what became of them.",
        lambda: {(t.name, told): n for t in targets.all for told, n in t.counted()},
        labels=["target", "outcome"],
    )
    metrics.counter(
        "target_failures",
        "How often a target was not there, or could take nothing.",
        lambda: {(target.name,): target.failures for target in targets.all},
        labels=["target"],
    )
    metrics.gauge(
        "target_up",
        "0 while nobody is there.",
        lambda: {(target.name,): target.is_up for target in targets.all},
        labels=["target"],
    )
    waiting = Fresh(count, name="targets")
    metrics.gauge(
        "target_waiting",
        "Events that wait for one, by its kind.",
        lambda: {(kind,): number for kind, number in waiting().items()},
        labels=["kind"],
    )


def register_bus(metrics: Metrics, trimming: Trimming) -> None:
    """Once a daemon; without a Redis there is nothing to tell."""
    metrics.gauge(
        "bus_entries",
        "Entries that a stream holds.",
        lambda: {(stream.name,): stream.entries for stream in trimming.states},
        labels=["stream"],
    )
    for name, of, told in (
        ("unread", "unread", "Entries that a group was not given yet."),
        ("pending", "pending", "Entries that a group has not acknowledged."),
        ("behind_seconds", "behind_s", "How old the oldest is that it has not done."),
    ):
        read = partial(trimming.of_groups, of)
        metrics.gauge(f"bus_{name}", told, read, labels=["stream", "group"])
    metrics.counter(
        "bus_lost",
        "Entries that were cut off before a group had done them.",
        lambda: trimming.lost,
    )
