"""What a handler logs: each line tells which event it is about."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from malexbot.events import Event


class EventLog(logging.LoggerAdapter[logging.Logger]):
    """The log of one processor, for one event."""

    def __init__(self, processor: str, event: Event) -> None:
        super().__init__(logging.getLogger(f"malexbot.plugins.{processor}"), {})
        self._prefix = event.event_id.replace("%", "%%")

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        return f"{self._prefix}: {msg}", kwargs
