"""Pressed buttons and chosen entries of menus."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.events import Button, Event
from malexbot.messengers.mattermost.callbacks.granted import (
    look,
    require_choice,
    require_place,
)
from malexbot.messengers.mattermost.callbacks.reading import (
    Fields,
    caller,
    event,
    json_body,
)
from malexbot.ports import Call, Granted, Grants

LONGEST_CHOICE = 3000


class Presses:
    """Makes an event of each that may be, as its grant says."""

    def __init__(
        self,
        grants: Grants,
        now_ms: Callable[[], int],
        is_kept: Callable[[str], bool],
    ) -> None:
        """`is_kept` asks the server whether it has a post of that id."""
        self._grants = grants
        self._now_ms = now_ms
        self._is_kept = is_kept

    def __call__(self, call: Call) -> Event:
        fields = json_body(call)
        who, post_id = caller(fields), fields.id("post_id")
        context = Fields(fields.map("context"))
        ref = context.text("ref")
        choice = context.text("selected_option", LONGEST_CHOICE)
        found = look(self._grants, ref, "button", who)
        require_place(found, post_id, who)
        require_choice(found.grant, choice, fields, who)
        return event(
            "button",
            who,
            now_ms=self._now_ms(),
            raw=fields.raw(),
            button=Button(post_id, found.grant.action, found.grant.payload),
            data={
                "ref": ref,
                "choice": choice,
                "is_ephemeral": self._is_for_one(found, post_id) or None,
            },
        )

    def _is_for_one(self, found: Granted, post_id: str) -> bool:
        """Yes: what was pressed only this person sees, so the server cannot change it.

        A post looks alike as long as nobody has written down that it was sent.
        """
        is_known = found.post_id or found.grant.channel_id
        return not is_known and not self._is_kept(post_id)
