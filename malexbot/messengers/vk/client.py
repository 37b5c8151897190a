"""VK's API in our terms: calls that keep its limits, typed errors, no surprise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from malexbot.messengers.vk.failures import (
    RATE_LIMIT,
    TOO_FAST,
    Answer,
    Busy,
    Crowded,
    Failure,
    Unclear,
    Unreachable,
    refusal,
)
from malexbot.messengers.vk.link import READ_S, Link
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

Json = dict[str, Any]

# How long one call may be repeated before its caller hears of it.
PATIENCE_S = 30.0
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
# What VK takes in one call.
MOST_USERS = 1000
MOST_PEERS = 100


class Client:
    """What malexbot asks of VK; safe to use from many threads.

    Every call raises a `Failure`: Transient, Permanent or Uncertain. One that waits,
    for its seat or to be repeated, wakes when `stop` is set.
    """

    def __init__(
        self,
        link: Link,
        *,
        stop: Stop | None = None,
        patience_s: float = PATIENCE_S,
        read_s: float = READ_S,
    ) -> None:
        self.link = link
        self._stop = stop or Stop()
        self._patience_s = patience_s
        self._read_s = read_s

    def __repr__(self) -> str:
        return f"Client({self.link.url})"

    def within(
        self, stop: Stop, *, patience_s: float = PATIENCE_S, read_s: float = READ_S
    ) -> Client:
        """The same VK, for a thread with a stop and a patience of its own."""
        return Client(self.link, stop=stop, patience_s=patience_s, read_s=read_s)

    def call(self, method: str, *, is_repeatable: bool = True, **params: Any) -> Any:
        """One method's response; what is None is not sent, maps go as JSON."""
        body = {name: _said(told) for name, told in params.items() if told is not None}
        backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        deadline = Deadline(self._patience_s)
        while True:
            self._take_seat(method, deadline)
            try:
                return self.link.exchange(
                    method, body, is_repeatable=is_repeatable, read_s=self._read_s
                )
            except (Busy, Unreachable) as error:
                self._hold(method, error)
                wait_s = max(backoff.next_s(), error.retry_after_s or 0.0)
                if wait_s >= deadline.left_s or self._stop.wait(wait_s):
                    raise

    def server_now_ms(self) -> int:
        """VK's clock, which the ages of its events are judged by.

        Ours may be wrong: as long as nothing was heard of VK, it is asked.
        """
        clock = self.link.clock
        if not clock.is_told:
            try:
                self.call("utils.getServerTime")
            except Failure:
                # A refusal comes with the time as well.
                if not clock.is_told:
                    raise
        return clock.now_ms()

    # The community and its long poll.

    def group(self) -> Json:
        """The community that the token is of."""
        found = self.call("groups.getById")
        groups = found.get("groups") if isinstance(found, dict) else found
        if (
            not isinstance(groups, list)
            or not groups
            or not isinstance(groups[0], dict)
        ):
            raise Busy("groups.getById", "the answer tells no community")
        return groups[0]

    def long_poll_server(self, group_id: int) -> Json:
        """Where to poll: server, key, ts."""
        return _object(
            "groups.getLongPollServer",
            self.call("groups.getLongPollServer", group_id=group_id),
        )

    def long_poll_settings(self, group_id: int) -> Json:
        """What is switched on: is_enabled, events, api_version."""
        method = "groups.getLongPollSettings"
        return _object(method, self.call(method, group_id=group_id))

    def rights(self) -> set[str]:
        """What the token may do, by VK's names."""
        method = "groups.getTokenPermissions"
        told = _object(method, self.call(method))
        rows = _rows(method, told.get("permissions"))
        return {str(row.get("name")) for row in rows}

    # People and conversations.

    def users(self, ids: Sequence[int]) -> list[Json]:
        """Those that there are; nobody is told of a community."""
        return _rows("users.get", self.call("users.get", user_ids=ids, fields="domain"))

    def conversations(self, peer_ids: Sequence[int]) -> list[Json]:
        """Those that the community may know of."""
        method = "messages.getConversationsById"
        found = _object(method, self.call(method, peer_ids=peer_ids))
        return _rows(method, found.get("items"))

    # Messages.

    def message(self, peer_id: int, cmid: int) -> Json | None:
        """A message as a whole; None if it is gone."""
        method = "messages.getByConversationMessageId"
        told = self.call(method, peer_id=peer_id, conversation_message_ids=cmid)
        rows = _rows(method, _object(method, told).get("items"))
        return rows[0] if rows else None

    def send(self, peer_id: int, text: str, *, random_id: int, **more: Any) -> int:
        """Post it; returns its cmid. The same random_id posts nothing twice.

        Asked for one of some peers, which alone is told the cmid.
        """
        method = "messages.send"
        told = self.call(
            method,
            is_repeatable=False,
            peer_ids=[peer_id],
            message=text,
            random_id=random_id,
            **more,
        )
        row = told[0] if isinstance(told, list) and told else None
        if not isinstance(row, dict):
            raise Unclear(method, "an answer that tells of no message")
        if "error" in row:
            raise refusal(method, row["error"], is_repeatable=False)
        return int(row.get("conversation_message_id") or 0)

    def edit(self, peer_id: int, cmid: int, text: str, **more: Any) -> None:
        """Without a keyboard among the rest the message has none afterwards."""
        self.call(
            "messages.edit",
            peer_id=peer_id,
            conversation_message_id=cmid,
            message=text,
            **more,
        )

    def answer_press(
        self, press_id: str, *, user_id: int, peer_id: int, shown: Json | None
    ) -> None:
        """Stop the waiting of who pressed a button, within a minute."""
        self.call(
            "messages.sendMessageEventAnswer",
            event_id=press_id,
            user_id=user_id,
            peer_id=peer_id,
            event_data=shown,
        )

    def react(self, peer_id: int, cmid: int, reaction_id: int) -> None:
        """The same reaction twice is there once."""
        self.call(
            "messages.sendReaction", peer_id=peer_id, cmid=cmid, reaction_id=reaction_id
        )

    def _hold(self, method: str, error: Failure) -> None:
        """A limit that was met is everybody's, or that method's."""
        if error.code == TOO_FAST:
            self.link.pace.hold(error.retry_after_s or 0.0)
        elif error.code == RATE_LIMIT:
            self.link.pace.rest(method, error.retry_after_s or 0.0)

    def _take_seat(self, method: str, deadline: Deadline) -> None:
        if self.link.pace.rests_s(method):
            raise Crowded(method, Answer(RATE_LIMIT, "rests, its limit was met"))
        wait_s = self.link.pace.seat_s(deadline.left_s)
        if wait_s is None:
            told = Answer(TOO_FAST, "the limit leaves no room for it now")
            raise Crowded(method, told)
        if wait_s > 0 and self._stop.wait(wait_s):
            raise Unreachable(method, "malexbot stops")


def _said(told: Any) -> str:
    if isinstance(told, dict):
        return orjson.dumps(told).decode()
    if isinstance(told, str):
        # VK fails on a NUL, and nobody can send half a character.
        clean = told.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return clean.encode("utf-8", "replace").decode()
    if isinstance(told, Iterable):
        return ",".join(map(str, told))
    return str(told)


def _object(method: str, told: Any) -> Json:
    if not isinstance(told, dict):
        raise Busy(method, "an answer that is no object")
    return told


def _rows(method: str, told: Any) -> list[Json]:
    """The objects of a list."""
    if not isinstance(told, list):
        raise Busy(method, "an answer that is no list")
    return [row for row in told if isinstance(row, dict)]
