"""The updates of one connection, as events: each once, the malformed ones set aside."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from malexbot.events import Event, Origin
from malexbot.messengers.vk.contents import Unreadable, raw_of
from malexbot.messengers.vk.recent import Recent
from malexbot.messengers.vk.translate import SOURCE, Translator
from malexbot.ports import Reject

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """What some updates are."""

    events: Sequence[Event]
    rejects: Sequence[Reject]
    duplicates: int
    """How many came once more, and were dropped."""


class Updates:
    """Reads what one connection brings."""

    def __init__(self, translator: Translator, connection: int) -> None:
        self._translator = translator
        self._connection = connection
        # Only what was handed on is in it: who begins anew has lost that.
        self._recent = Recent()

    def read(self, updates: Sequence[Any], origin: Origin, *, ago_ms: int) -> Found:
        """One malformed update costs none of the others."""
        events: list[Event] = []
        rejects: list[Reject] = []
        for update in updates:
            try:
                event = self._translator.event(
                    update, origin=origin, connection=self._connection, ago_ms=ago_ms
                )
            except Unreadable as error:
                log.warning("an update that is no event goes to the rejects: %s", error)
                rejects.append(Reject(SOURCE, raw_of(update), str(error)))
                continue
            if self._recent.is_new(event.event_id):
                events.append(event)
            else:
                log.debug("update %s came once more", event.event_id)
        duplicates = len(updates) - len(events) - len(rejects)
        return Found(events, rejects, duplicates)

    def gap(self, ts: str, after: str, reason: str) -> Event:
        """That updates were lost."""
        return self._translator.gap(ts, after, reason, connection=self._connection)
