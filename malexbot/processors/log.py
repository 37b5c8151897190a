"""The processor `log`: one line for each event, with its ids and without its words."""

from __future__ import annotations

import logging

from malexbot.events import Event
from malexbot.ports import Processor

log = logging.getLogger(__name__)


class Log(Processor):
    """Shows what is durable; what is said stays in the archive."""

    name = "log"

    def look(self, event: Event) -> None:
        log.info(
            "%s %s channel=%s user=%s%s",
            event.name,
            event.event_id,
            event.peer.bpid or "-",
            event.user.uuid or "-",
            "" if event.origin == "live" else f" ({event.origin})",
        )
