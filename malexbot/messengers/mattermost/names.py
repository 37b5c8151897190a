"""The names of users: events of pages, edits and reactions carry ids only."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from malexbot.errors import MalexbotError
from malexbot.events import Event
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.translate import Translator
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# So many are asked for in one call: those of a page are never more.
ASKED_AT_ONCE = 200
# A page without names is better than one that waits for them.
PATIENCE_S = 2.0
READ_S = 5.0
# After a failure nobody is asked for so long.
REST_S = 60.0


class Names:
    """Asks who the strangers are that the translator met; never fails."""

    def __init__(self, client: Client, translator: Translator) -> None:
        self._translator = translator
        self._rests_until = 0.0
        self._client = client
        self.wake_at(Stop())

    def wake_at(self, stop: Stop) -> None:
        """Calls that wait end when this is set."""
        self._client = self._client.within(stop, patience_s=PATIENCE_S, read_s=READ_S)

    def named(self, events: Sequence[Event]) -> list[Event]:
        """The same events; their users have names if anybody knows them."""
        if self._translator.strangers:
            self.ask()
        named = self._translator.user
        return [
            event if event.user.nick else event._replace(user=named(event.user))
            for event in events
        ]

    def ask(self) -> None:
        """Who is a stranger still, after a failure, is met again."""
        if time.monotonic() < self._rests_until:
            return
        while ids := self._translator.take_strangers(ASKED_AT_ONCE):
            try:
                self._translator.learn_users(self._client.users(ids), asked=ids)
            except (MalexbotError, LookupError, TypeError) as error:
                log.info("the names of %d users are not known: %s", len(ids), error)
                self._rests_until = time.monotonic() + REST_S
                return
