"""Who people are and how conversations are called: asked in batches, kept in mind.

What cannot be asked now is left out: an event without names is better than none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from malexbot.errors import MalexbotError, Transient
from malexbot.events import Event, Peer, User
from malexbot.messengers.vk.cache import NEGATIVE_COUNTS_S, Cache, Together
from malexbot.messengers.vk.client import MOST_PEERS, MOST_USERS, Client
from malexbot.messengers.vk.contents import Unreadable
from malexbot.messengers.vk.failures import Busy, Forbidden, gist
from malexbot.messengers.vk.translate import CHATS_FROM, Translator, peer
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# An event in its lane does not wait longer for names.
PATIENCE_S = 2.0
READ_S = 5.0
USER_COUNTS_S = 3600.0
PEER_COUNTS_S = 600.0
# When nobody can be asked, nobody is, for so long: events do not wait for it.
REST_S = 5.0
Json = Mapping[str, Any]
Call = Callable[[Sequence[int]], list[dict[str, Any]]]


class Resting(Busy):
    """Nobody was asked, for nobody answered just now."""


class Numbers(NamedTuple):
    """How often the directory knew, for metrics."""

    hits: int
    misses: int
    calls: int
    failures: int


class Directory:
    """Completes events; safe to use from many threads."""

    def __init__(
        self,
        client: Client,
        translator: Translator,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client.within(Stop(), patience_s=PATIENCE_S, read_s=READ_S)
        self._translator = translator
        self._users: Cache[User] = Cache(USER_COUNTS_S, clock)
        self._peers: Cache[Peer] = Cache(PEER_COUNTS_S, clock)
        self._people = Together(self._users, self._learn_users)
        self._chats = Together(self._peers, self._learn_peers)
        self._clock = clock
        self._rests_until = 0.0
        self._told = ""
        self._calls = 0
        self._failures = 0

    @property
    def numbers(self) -> Numbers:
        caches = (self._users, self._peers)
        return Numbers(
            hits=sum(cache.hits for cache in caches),
            misses=sum(cache.misses for cache in caches),
            calls=self._calls,
            failures=self._failures,
        )

    def recall(self, event: Event) -> Event:
        """The same event with the names that are in mind; nobody is asked.

        `data["enriched"]` says whether those are all that there is to know.
        """
        user_id, peer_id = int(event.user.uuid), int(event.peer.bpid)
        is_whole = not (
            (_is_person(user_id) and self._users.unknown([user_id]))
            or (_is_chat(peer_id) and self._peers.unknown([peer_id]))
            or event.data.get("is_cropped")
        )
        return event._replace(
            user=self._users.get(user_id) or event.user,
            peer=self._peer(event),
            data={**event.data, "enriched": is_whole},
        )

    def complete_one(self, event: Event) -> Event:
        """The same event with names; others that are asked for now share a call."""
        return self.complete([event])[0]

    def complete(self, events: Sequence[Event]) -> list[Event]:
        """The same events in their order, with names; raises nothing.

        `data["enriched"]` says whether all that there is could be found out.
        """
        users = {int(e.user.uuid) for e in events if _is_person(e.user.uuid)}
        peers = {int(e.peer.bpid) for e in events if _is_chat(e.peer.bpid)}
        self._people.learn(sorted(users))
        self._chats.learn(sorted(peers))
        return [self._complete(event) for event in events]

    def _complete(self, event: Event) -> Event:
        user_id, peer_id = int(event.user.uuid), int(event.peer.bpid)
        whole, is_whole = self._fetch(event)
        is_known = not (
            self._users.has_failed(user_id) or self._peers.has_failed(peer_id)
        )
        return whole._replace(
            user=self._users.get(user_id) or event.user,
            peer=self._peer(event),
            data={**event.data, "enriched": is_whole and is_known},
        )

    def _peer(self, event: Event) -> Peer:
        """A conversation with one person is called as that person is."""
        peer_id = int(event.peer.bpid)
        if 0 < peer_id < CHATS_FROM:
            person = self._users.get(peer_id)
            return event.peer._replace(name=person.name) if person else event.peer
        return self._peers.get(peer_id) or event.peer

    # What is asked.

    def _learn_users(self, ids: Sequence[int]) -> None:
        for some in _batches(ids, MOST_USERS):
            rows = self._ask("users", some, self._client.users)
            if rows is None:
                self._users.fail(some, REST_S)
                continue
            found = {row["id"]: _user(row) for row in rows if _is_person(row.get("id"))}
            for id in some:
                self._users.keep(id, found.get(id))

    def _learn_peers(self, ids: Sequence[int]) -> None:
        for some in _batches(ids, MOST_PEERS):
            self._learn_some_peers(some)

    def _learn_some_peers(self, ids: Sequence[int]) -> None:
        """One chat that is shut to us must not hide the others."""
        try:
            rows = self._call(ids, self._client.conversations)
        except Forbidden as error:
            if len(ids) == 1:
                self._tell("conversations", error)
                self._peers.fail(ids, NEGATIVE_COUNTS_S)
                return
            half = len(ids) // 2
            self._learn_some_peers(ids[:half])
            self._learn_some_peers(ids[half:])
        except MalexbotError as error:
            self._tell("conversations", error)
            self._peers.fail(ids, REST_S)
        else:
            found = dict(map(_titled, rows))
            for id in ids:
                self._peers.keep(id, found.get(id))

    def _fetch(self, event: Event) -> tuple[Event, bool]:
        """A message that was too big for its event, as a whole; else as it came."""
        message = event.message
        if message is None or not event.data.get("is_cropped"):
            return event, True
        rows = self._ask(
            "message",
            [int(event.peer.bpid), int(message.cmid)],
            lambda ids: [row for row in [self._client.message(*ids)] if row],
        )
        if not rows:
            return event, rows is not None
        try:
            return self._translator.message(event, rows[0]), True
        except Unreadable:
            return event, False

    def _ask(
        self,
        what: str,
        ids: Sequence[int],
        call: Call,
    ) -> list[dict[str, Any]] | None:
        """None: nobody could tell now."""
        try:
            return self._call(ids, call)
        except MalexbotError as error:
            self._tell(what, error)
            return None

    def _call(self, ids: Sequence[int], call: Call) -> list[dict[str, Any]]:
        """Raises what the client does, and goes on for a while without asking."""
        if self._clock() < self._rests_until:
            raise Resting("names", "nobody is asked for a while")
        self._calls += 1
        try:
            rows = call(ids)
        except Transient:
            self._rests_until = self._clock() + REST_S
            raise
        self._told = ""
        return rows

    def _tell(self, what: str, error: MalexbotError) -> None:
        """What goes on as before is told once."""
        self._failures += 1
        if isinstance(error, Resting):
            return
        if gist(error) != self._told:
            self._told = gist(error)
            log.warning("no names of %s now: %s", what, error)


def _is_person(id: Any) -> bool:
    return isinstance(id, int) and 0 < id < CHATS_FROM


def _is_chat(id: Any) -> bool:
    return isinstance(id, int) and id >= CHATS_FROM


def _batches(ids: Sequence[int], most: int) -> Iterable[Sequence[int]]:
    return (ids[at : at + most] for at in range(0, len(ids), most))


def _user(row: Json) -> User:
    first, last = _name(row.get("first_name")), _name(row.get("last_name"))
    name = " ".join(word for word in (first, last) if word) or None
    return User(int(row["id"]), name, first, last, _name(row.get("domain")))


def _name(told: Any) -> str | None:
    """What is no text is no name; and no database takes a NUL."""
    if not isinstance(told, str):
        return None
    return told.replace("\0", "\N{REPLACEMENT CHARACTER}") or None


def _titled(row: Json) -> tuple[int, Peer | None]:
    """The number of a conversation, and what it is called if that is told."""
    told, settings = row.get("peer"), row.get("chat_settings")
    id = told.get("id") if isinstance(told, dict) else None
    title = _name(settings.get("title")) if isinstance(settings, dict) else None
    if not isinstance(id, int):
        return 0, None
    return id, peer(id, title) if title else None
