"""Dialogs: what is filled in goes to the integration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from malexbot.sandbox.call import Call, Result, Route
from malexbot.sandbox.model import Json
from malexbot.sandbox.outgoing import Outgoing
from malexbot.sandbox.refusals import bad_body, not_allowed
from malexbot.sandbox.world import World

_FIELDS = ("callback_id", "state", "channel_id", "team_id", "submission", "cancelled")


@dataclass(frozen=True)
class Dialogs:
    world: World
    outgoing: Outgoing

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/actions/dialogs/submit", self.submit, is_locked=False)

    def submit(self, call: Call) -> Result:
        """The URL comes from the client, and no dialog needs to have been open."""
        body = call.json("dialog")
        url = body.get("url")
        if not isinstance(url, str) or not url:
            raise bad_body("url")
        with self.world.lock:
            self._require_place(call, body)
        told: Json = {"type": "dialog_submission", "user_id": call.user.id}
        told |= {name: body[name] for name in _FIELDS if name in body}
        return _understood(self.outgoing.post(url, told))

    def _require_place(self, call: Call, body: Json) -> None:
        channel_id, team_id = str(body.get("channel_id")), str(body.get("team_id"))
        self.world.require_channel(call.user, channel_id, "read_channel")
        if self.world.team_member(team_id, call.user.id) is None:
            raise not_allowed(call.user.id, "view_team")


def _understood(answer: bytes) -> Json:
    """The two fields that the client is shown; anything else is as good as nothing."""
    try:
        body = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    told = body if isinstance(body, dict) else {}
    return {name: told[name] for name in ("error", "errors") if told.get(name)}
