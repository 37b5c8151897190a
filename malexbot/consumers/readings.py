"""The numbers of the bus, beside those of `malexbot.readings`."""

from __future__ import annotations

from functools import partial

from malexbot.consumers.trimming import Trimming
from malexbot.runtime.metrics import Metrics


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
