"""Who gets which event; one hub for all sockets, with the real one's weak points."""

from __future__ import annotations

import logging
import time

from malexbot.sandbox.connection import Connection, Outgoing, SentOnClosed
from malexbot.sandbox.events import DROPPABLE, Event
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.people import People
from malexbot.sandbox.world import World

_log = logging.getLogger(__name__)


class Hub:
    """Every method is called under the world's lock."""

    def __init__(self, world: World, people: People, faults: Faults) -> None:
        self._world = world
        self._people = people
        self._faults = faults
        self._known: dict[Connection, None] = {}
        self.panics = 0
        """How often all sockets fell silent for a resume that came doubled."""
        world.publish = self.publish

    def __len__(self) -> int:
        return sum(connection.is_active for connection in self._known)

    def count(self, user_id: str) -> int:
        """The open ones of one user."""
        found = (each for each in self._known if each.user_id == user_id)
        return sum(connection.is_active for connection in found)

    # Coming and going.

    def register(self, connection: Connection) -> None:
        """From now on it gets events; a new one is greeted, a resumed one is not."""
        old = self.dropped(connection.user_id, connection.id)
        if old is not None:
            del self._known[old]
        self._known[connection] = None
        if connection.user_id and old is None:
            connection.outbox.put(connection.hello())

    def unregister(self, connection: Connection) -> None:
        """The socket is gone; what comes now waits for a resume."""
        connection.is_active = False
        if not self._world.settings.is_reliable:
            self._known.pop(connection, None)
        user = self._world.users.get(connection.user_id)
        if user is not None and not self._is_here(user.id):
            self._people.set_status(user, "offline")

    def greet_user(self, connection: Connection) -> None:
        """His socket makes a user online."""
        user = self._world.users.get(connection.user_id)
        if user is not None and user.status == "offline":
            self._people.set_status(user, "online")

    def dropped(self, user_id: str, connection_id: str) -> Connection | None:
        """The kept connection of that id, if it is the user's and has no socket."""
        if not connection_id:
            return None
        for connection in self._known:
            if connection.id == connection_id and connection.user_id == user_id:
                return None if connection.is_active else connection
        return None

    def reap(self) -> None:
        """Forget dropped connections that did nothing for long."""
        stale_at = time.monotonic() - self._world.settings.stale_after_s
        for connection in list(self._known):
            if not connection.is_active and connection.active_at < stale_at:
                del self._known[connection]

    def note_activity(self, token: str) -> None:
        """A post or a view by that token: what the reaper goes by."""
        for connection in self._known:
            if connection.token == token:
                connection.active_at = time.monotonic()

    def invalidate(self, user_id: str) -> None:
        """Look at the user's tokens again: he was disabled, or his channels changed."""
        for connection in self._known:
            if connection.user_id == user_id:
                connection.must_check = True
                self.is_authenticated(connection)

    def forget_all(self) -> None:
        """As after a restart, or after the panic."""
        self._known.clear()

    # Sending.

    def publish(self, event: Event) -> None:
        if self._faults.swallows_event(event):
            return
        try:
            for connection in list(self._known):
                if connection in self._known and self._wants(connection, event):
                    self._send(connection, event)
        except SentOnClosed:
            _log.warning("the hub panicked: all sockets fall silent")
            self.panics += 1
            self.forget_all()

    def reply(self, connection: Connection, answer: bytes) -> None:
        """Only to those that the hub knows: not before a login or after a panic."""
        if connection in self._known:
            self._send(connection, answer)

    def is_authenticated(self, connection: Connection) -> bool:
        """No: its user was disabled; then for good, also when he is enabled again."""
        if connection.must_check and connection.token:
            connection.must_check = False
            if self._world.user_of_token(connection.token) is None:
                connection.token = ""
        return bool(connection.token)

    def _send(self, connection: Connection, item: Outgoing) -> None:
        if not connection.outbox.put(item):
            _log.info("a send queue is full: connection %s is gone", connection.id)
            connection.outbox.close()
            del self._known[connection]

    def _wants(self, connection: Connection, event: Event) -> bool:
        if not self.is_authenticated(connection):
            return False
        if event.name in DROPPABLE and connection.outbox.is_half_full:
            return False
        if event.user_id:
            return event.user_id == connection.user_id
        if connection.user_id in event.omit_users:
            return False
        if event.channel_id:
            members = self._world.index.channel_users.get(event.channel_id, {})
            return connection.user_id in members
        if event.team_id:
            member = self._world.team_member(event.team_id, connection.user_id)
            return member is not None
        return True

    def _is_here(self, user_id: str) -> bool:
        return any(
            connection.is_active and connection.user_id == user_id
            for connection in self._known
        )
