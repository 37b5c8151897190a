"""Mattermost as a place to write to: each message is there once, whatever breaks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from malexbot.errors import Transient
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Busy
from malexbot.messengers.mattermost.link import CONNECT_S
from malexbot.ports import Sent
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.stop import Stop

# A send is given up so early that its repeat comes while the server knows its key.
SEAT_S = 2.0
READ_S = 6.0
TIMEOUT_S = 15.0
# What is needed for one more call.
CALL_S = SEAT_S + CONNECT_S + READ_S
# Until the server tells: what the oldest ones take; and when it is asked again.
LONGEST_TEXT = 4_000
ASK_AGAIN_S = 60.0
# In the props of a post: which job sent it.
PROP = "malexbot"
# The clocks of the database, the server and ours do not agree to the second.
SLACK_S = 60.0


class MattermostChat:
    """Implements ports.Chat; safe to use from many threads."""

    timeout_s = TIMEOUT_S

    def __init__(self, client: Client) -> None:
        self._client = client.within(Stop(), patience_s=SEAT_S, read_s=READ_S)
        self._direct: dict[str, str] = {}
        self._longest = LONGEST_TEXT
        self._ask_at = 0.0

    @property
    def longest_text(self) -> int:
        """The server's own limit; it is asked once, and again if it did not answer."""
        if time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + ASK_AGAIN_S
            self._ask()
        return self._longest

    def send(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        """Post it; the server gives the first one again when it knows the key."""
        channel_id = self._channel(payload, Deadline(TIMEOUT_S))
        post = self._client.create_post(
            channel_id,
            _clean(payload["message"]),
            root_id=payload.get("root_id") or "",
            props={**(payload.get("props") or {}), PROP: key},
            file_ids=payload.get("file_ids") or (),
            # The server shares this memory between all its users.
            pending_post_id=f"{self._client.own_id}:{key}",
        )
        return Sent(post["id"])

    def find(
        self, payload: Mapping[str, Any], *, key: str, ago_s: float
    ) -> Sent | None:
        """Look for it in what was posted since; it went off so many seconds ago."""
        deadline = Deadline(TIMEOUT_S)
        channel_id = self._channel(payload, deadline)
        since = self._client.server_now_ms() - (ago_s + SLACK_S) * 1000
        number = 0
        while True:
            page = self._client.posts(channel_id, page=number)
            posts = [
                page["posts"][id_] for id_ in page["order"] if id_ in page["posts"]
            ]
            for post in posts:
                if self._is_ours(post, key):
                    return Sent(post["id"], is_repeat=True)
            if not posts or posts[-1]["create_at"] < since:
                return None
            _check(deadline, "find")
            number += 1

    def react(self, payload: Mapping[str, Any]) -> None:
        """The same emoji twice is there once."""
        self._client.react(payload["post_id"], payload["emoji"])

    def edit(self, payload: Mapping[str, Any]) -> None:
        """Replace the text; attachments and buttons stay as they are."""
        self._client.patch_post(payload["post_id"], message=_clean(payload["message"]))

    def _channel(self, payload: Mapping[str, Any], deadline: Deadline) -> str:
        """Where it goes: a channel, or the one that we share with a person."""
        if channel_id := payload.get("channel_id"):
            return str(channel_id)
        user_id = str(payload["user_id"])
        if user_id not in self._direct:
            self._direct[user_id] = self._client.direct_channel(user_id)["id"]
            _check(deadline, "direct channel")
        return self._direct[user_id]

    def _is_ours(self, post: Mapping[str, Any], key: str) -> bool:
        """Anybody may write any props; nobody else is the bot."""
        props = post.get("props") or {}
        return props.get(PROP) == key and post["user_id"] == self._client.own_id

    def _ask(self) -> None:
        try:
            told = self._client.client_config().get("MaxPostSize", "")
        except Transient:
            return
        if told.isdecimal() and int(told) > 0:
            self._longest, self._ask_at = int(told), float("inf")


def _clean(text: str) -> str:
    """The server fails on a NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _check(deadline: Deadline, call: str) -> None:
    """What was learned is kept; the next try has all the time again."""
    if deadline.left_s < CALL_S - 1:
        raise Busy(call, "took too long; there is no time left for the rest")
