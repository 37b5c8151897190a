"""Outgoing webhooks: what was said where a word, or any, sets one off."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.events import Event, Message
from malexbot.messengers.mattermost.callbacks.reading import (
    LONGEST_NAME,
    Fields,
    caller,
    event,
    form_body,
    json_body,
)
from malexbot.messengers.mattermost.callbacks.refusals import Own, Refused
from malexbot.messengers.mattermost.callbacks.tokens import HookTokens
from malexbot.ports import Call

PATH = "/outgoing"
JSON = "application/json"


class OutgoingHooks:
    """Makes an event of each that has one of our tokens.

    They are sent for what bots write too: what this one wrote is left alone.
    """

    def __init__(
        self,
        tokens: HookTokens,
        now_ms: Callable[[], int],
        *,
        own_id: Callable[[], str],
    ) -> None:
        """`own_id`: the bot's; raises Transient if it cannot be asked."""
        self._tokens = tokens
        self._now_ms = now_ms
        self._own_id = own_id

    def __call__(self, call: Call) -> Event:
        fields = _fields(call)
        who, post_id = caller(fields), fields.id("post_id")
        hook = self._tokens.name(fields.text("token"))
        if not hook:
            raise Refused(f"not the token of an outgoing webhook ({who})")
        if who.user_id == self._own_id():
            raise Own(f"{hook} tells what the bot itself wrote")
        return event(
            "hook",
            who,
            now_ms=self._now_ms(),
            raw=fields.raw(),
            message=Message(post_id, fields.text("text")),
            data={
                "path": PATH,
                "hook": hook,
                "trigger_word": fields.text("trigger_word", LONGEST_NAME),
                "file_ids": fields.text("file_ids"),
            },
        )


def _fields(call: Call) -> Fields:
    """The times in the two forms differ, so neither is read."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    return json_body(call) if kind == JSON else form_body(call).fields
