"""The lines of the help: what people can set off, and how they write that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from malexbot.events import Event
from malexbot.plugins.handler import Handler
from malexbot.plugins.texts import Words
from malexbot.ports import Processor


class Line(NamedTuple):
    """One line of the help."""

    handler: Handler
    usage: str
    """How a command is written; "" for what listens."""
    help: Words


def lines(handlers: Sequence[Processor], event: Event | None = None) -> Iterator[Line]:
    """All that is told of; of an event: what its person may set off there."""
    for handler in handlers:
        if isinstance(handler, Handler):
            for trigger, usage in handler.usages:
                is_allowed = event is None or handler.allows(trigger, event)
                if is_allowed and trigger.help is not None:
                    yield Line(handler, usage, trigger.help)
