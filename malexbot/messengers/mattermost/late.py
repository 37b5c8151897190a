"""Answers for which no HTTP call waits any more: they go as far as they still can.

A command has an address for later answers, for half an hour. A pressed button's post
can be changed as long as it is the bot's own. All else that is for one person is said
to that person directly: bots may not write what only one person sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from malexbot.messengers.mattermost.answers import Writer, said
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Forbidden, Missing, Rejected
from malexbot.ports import Sent

Payload = Mapping[str, Any]
# Posts one message under a key.
Send = Callable[[Payload, str], Sent]

HOOK = "hook"
_WAY = re.compile("/hooks/commands/([a-z0-9]{26})")


class LateAnswers:
    """Gives them; each step does no harm when it is done again soon."""

    def __init__(
        self,
        client: Client,
        *,
        site: str,
        writer: Writer,
        send: Send,
        check: Callable[[], None],
    ) -> None:
        """`check` raises Transient when there is no time for one more call."""
        self._client = client
        self._site = site
        self._writer = writer
        self._send = send
        self._check = check

    def give(self, payload: Payload, key: str) -> Sent:
        if url := payload.get("response_url"):
            if self._by_url(str(url), payload):
                return Sent("")
            self._check()
        update = payload.get("update")
        if update is None:
            return self._say(payload, key)
        sent = self._update(payload, update, key)
        if said(payload) or payload.get("cards"):
            self._check()
            return self._say(payload, key)
        return sent

    def _by_url(self, url: str, payload: Payload) -> bool:
        """No: that way is closed, it was used up or is too old."""
        address = self._address(url)
        body = self._writer.command(payload)
        if not address or not body:
            return not body
        try:
            self._client.tell(address, body)
        except Rejected:
            return False
        return True

    def _address(self, url: str) -> str:
        """Of our own server: nobody makes us call another one. "" if it is none."""
        found = _WAY.search(urlsplit(url).path)
        return f"{self._site}{found[0]}" if found else ""

    def _update(self, payload: Payload, update: Payload, key: str) -> Sent:
        """Its post; of one that is not the bot's own who pressed is told."""
        post_id = str(payload.get("post_id") or "")
        try:
            self._client.patch_post(post_id, **self._writer.changes(update))
        except (Forbidden, Missing):
            self._check()
            return self._say(_for_one(payload, update), f"{key}-u")
        return Sent(post_id)

    def _say(self, payload: Payload, key: str) -> Sent:
        """In its channel, or to that person; the cards below the last part."""
        cards = payload.get("cards") or ()
        *parts, last = self._writer.texts(said(payload)) or [""]
        if not (last or cards):
            return Sent("")
        place = self._place(payload)
        for number, part in enumerate(parts, start=1):
            self._send({**place, "message": part}, f"{key}-{number}")
            self._check()
        return self._send({**place, "message": last, "cards": cards}, key)

    def _place(self, payload: Payload) -> dict[str, Any]:
        """A webhook's is the thread of what set it off; one person's is his own."""
        channel = {"channel_id": payload["channel_id"]}
        if payload.get("in_channel"):
            return channel | {"root_id": payload.get("root_id") or ""}
        if payload.get("kind") == HOOK:
            post = self._client.post(str(payload["post_id"]))
            self._check()
            return channel | {"root_id": post.get("root_id") or post["id"]}
        return {"user_id": payload["user_id"]}


def _for_one(payload: Payload, update: Payload) -> dict[str, Any]:
    """What stood on the post, without what can be pressed there alone."""
    cards = [{**card, "controls": ()} for card in update.get("cards") or ()]
    return {
        "user_id": payload["user_id"],
        "channel_id": payload["channel_id"],
        "message": update.get("message") or "",
        "cards": cards,
    }
