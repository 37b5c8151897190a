"""Mattermost as a place to write to: each message is there once, whatever breaks."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from malexbot.errors import Permanent, Transient
from malexbot.messengers.line import CONNECT_S
from malexbot.messengers.mattermost.answers import LONGEST_TEXT, Writer
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Busy
from malexbot.messengers.mattermost.forms import attachments, clean, dialog, props
from malexbot.messengers.mattermost.late import LateAnswers
from malexbot.ports import Sent
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.stop import Stop

# A send is given up so early that its repeat comes while the server knows its key.
SEAT_S = 2.0
READ_S = 6.0
TIMEOUT_S = 15.0
# What is needed for one more call.
CALL_S = SEAT_S + CONNECT_S + READ_S
# Until the server tells how long a text may be; when it is asked again.
ASK_AGAIN_S = 60.0
# In the props of a post: which job sent it.
PROP = "malexbot"
# The clocks of the database, the server and ours do not agree to the second.
SLACK_S = 60.0
# A channel of this name is an incoming webhook: hook:NAME.
HOOK = "hook:"

Payload = Mapping[str, Any]


class MattermostChat:
    """Implements ports.Chat; safe to use from many threads."""

    timeout_s = TIMEOUT_S

    def __init__(
        self,
        client: Client,
        *,
        site: str = "",
        public_url: str = "",
        webhooks: Mapping[str, str] | None = None,
    ) -> None:
        """`site`: the server's own address; `public_url`: where it reaches us."""
        self._client = client.within(Stop(), patience_s=SEAT_S, read_s=READ_S)
        self._site = site
        self._public_url = public_url
        self.webhooks = webhooks or {}
        """The addresses of incoming webhooks, by their names."""
        self._direct: dict[str, str] = {}
        self._longest = LONGEST_TEXT
        self._ask_at = 0.0
        self.writer = Writer(
            public_url=public_url, longest_text=lambda: self.longest_text
        )

    @property
    def longest_text(self) -> int:
        """The server's own limit; it is asked once, and again if it did not answer."""
        if time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + ASK_AGAIN_S
            self._ask()
        return self._longest

    def send(self, payload: Payload, *, key: str) -> Sent:
        """Post it; the server gives the first one again when it knows the key."""
        if webhook := _webhook(payload):
            return self._tell(webhook, payload, key)
        return self._send(payload, key, Deadline(TIMEOUT_S))

    def find(self, payload: Payload, *, key: str, ago_s: float) -> Sent | None:
        """Look for it in what was posted since; it went off so many seconds ago."""
        if _webhook(payload):
            raise Permanent(
                "nobody can look whether the incoming webhook took it: if it is not"
                " there, `malexbot jobs retry` sends it again"
            )
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

    def react(self, payload: Payload) -> None:
        """The same emoji twice is there once."""
        self._client.react(payload["post_id"], payload["emoji"])

    def edit(self, payload: Payload) -> None:
        """Replace the text; buttons stay as they are if no other cards are named.

        What is read of them lacks what makes them work, so that is never written back.
        """
        changes: dict[str, Any] = {"message": clean(payload["message"])}
        if payload.get("cards") is not None:
            changes["props"] = props(payload["cards"], self._public_url)
        self._client.patch_post(payload["post_id"], **changes)

    def answer(self, payload: Payload, *, key: str) -> Sent:
        """Give an answer that comes too late for the call that waited for it."""
        deadline = Deadline(TIMEOUT_S)
        late = LateAnswers(
            self._client,
            site=self._site,
            writer=self.writer,
            send=lambda message, key: self._send(message, key, deadline),
            check=lambda: _check(deadline, "answer"),
        )
        return late.give(payload, key)

    def open_dialog(self, payload: Payload) -> None:
        """Open it before whose trigger it names, who has to be quick to be found."""
        self._client.open_dialog(dialog(payload, self._public_url))

    def upload(self, payload: Payload) -> str:
        """Leave a file with the server, for a message that is sent then."""
        try:
            content = base64.b64decode(payload["content"], validate=True)
        except ValueError as error:
            raise Permanent("the content of a file is no base64") from error
        channel_id = self._channel(payload, Deadline(TIMEOUT_S))
        return self._client.upload(channel_id, clean(payload["name"]), content)

    def _send(self, payload: Payload, key: str, deadline: Deadline) -> Sent:
        told = {**(payload.get("props") or {}), PROP: key}
        if cards := payload.get("cards"):
            told["attachments"] = attachments(cards, self._public_url)
        post = self._client.create_post(
            self._channel(payload, deadline),
            clean(payload["message"]),
            root_id=payload.get("root_id") or "",
            props=told,
            file_ids=payload.get("file_ids") or (),
            # The server shares this memory between all its users.
            pending_post_id=f"{self._client.own_id}:{key}",
        )
        return Sent(post["id"])

    def _tell(self, webhook: str, payload: Payload, key: str) -> Sent:
        """Post by an incoming webhook, which answers no id, and cuts what is long."""
        address = self.webhooks.get(webhook)
        if address is None:
            raise Permanent(f"no {webhook!r} is in mattermost.incoming_webhooks")
        text = clean(payload["message"])
        body: dict[str, Any] = {"text": text, "props": {PROP: key}}
        if cards := payload.get("cards"):
            body["attachments"] = attachments(cards, self._public_url)
        self._client.tell(address, body)
        return Sent("")

    def _channel(self, payload: Payload, deadline: Deadline) -> str:
        """Where it goes: a channel, or the one that we share with a person."""
        if channel_id := payload.get("channel_id"):
            return str(channel_id)
        user_id = str(payload["user_id"])
        if user_id not in self._direct:
            self._direct[user_id] = self._client.direct_channel(user_id)["id"]
            _check(deadline, "direct channel")
        return self._direct[user_id]

    def _is_ours(self, post: Payload, key: str) -> bool:
        """Anybody may write any props; nobody else is the bot."""
        told = post.get("props") or {}
        return told.get(PROP) == key and post["user_id"] == self._client.own_id

    def _ask(self) -> None:
        try:
            told = self._client.client_config().get("MaxPostSize", "")
        except Transient:
            return
        if told.isdecimal() and int(told) > 0:
            self._longest, self._ask_at = int(told), float("inf")


def _webhook(payload: Payload) -> str:
    """The name of the incoming webhook that it goes to; "" if to none."""
    channel = str(payload.get("channel_id") or "")
    return channel.removeprefix(HOOK) if channel.startswith(HOOK) else ""


def _check(deadline: Deadline, call: str) -> None:
    """What was learned is kept; the next try has all the time again."""
    if deadline.left_s < CALL_S - 1:
        raise Busy(call, "took too long; there is no time left for the rest")
