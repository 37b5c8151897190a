"""Dialogs: opened before a person by a trigger, filled in, sent on."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.events import Event, as_text
from malexbot.sandbox.integrations import Dialog
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.outgoing import Outgoing
from malexbot.sandbox.refusals import bad_body, not_allowed
from malexbot.sandbox.triggers import Triggers
from malexbot.sandbox.world import World

_DIALOG: Json = {
    "callback_id": "",
    "title": "",
    "introduction_text": "",
    "icon_url": "",
    "elements": None,
    "submit_label": "",
    "notify_on_cancel": False,
    "state": "",
}
_ELEMENT: Json = {
    "display_name": "",
    "name": "",
    "type": "",
    "subtype": "",
    "default": "",
    "placeholder": "",
    "help_text": "",
    "optional": False,
    "min_length": 0,
    "max_length": 0,
    "data_source": "",
    "options": None,
}
_SUBMISSION: Json = {
    "type": "dialog_submission",
    "callback_id": "",
    "state": "",
    "user_id": "",
    "channel_id": "",
    "team_id": "",
    "submission": None,
    "cancelled": False,
}


@dataclass(frozen=True)
class Dialogs:
    """Who opens one needs no token, only a trigger."""

    world: World
    outgoing: Outgoing
    triggers: Triggers

    def open(self, asked: Json) -> Dialog:
        """The person's client shows it."""
        url, dialog = _url(asked), asked.get("dialog") or {}
        if not isinstance(dialog, dict):
            raise bad_body("dialog")
        trigger_id, user_id = self.triggers.read(str(asked.get("trigger_id", "")))
        told: Json = {
            "trigger_id": trigger_id,
            "url": url,
            "dialog": _filled(_DIALOG, dialog),
        }
        if isinstance(dialog.get("elements"), list):
            known = [each for each in dialog["elements"] if isinstance(each, dict)]
            told["dialog"]["elements"] = [_filled(_ELEMENT, each) for each in known]
        now = self.world.now_ms()
        row = Dialog(id=new_id(), create_at=now, user_id=user_id, **told)
        self.world.dialogs.put(row)
        data: Json = {"dialog": as_text(told)}
        self.world.publish(Event("open_dialog", data, user_id=user_id))
        return row

    def submit(self, user: User, given: Json) -> Json:
        """What the client is shown; no dialog needs to have been open."""
        url = _url(given)
        with self.world.lock:
            self._require_place(user, given)
        told = _filled(_SUBMISSION, given) | {"user_id": user.id}
        told["type"] = _SUBMISSION["type"]
        return _understood(self.outgoing.post(url, told))

    def _require_place(self, user: User, given: Json) -> None:
        channel_id, team_id = str(given.get("channel_id")), str(given.get("team_id"))
        self.world.require_channel(user, channel_id, "read_channel")
        if self.world.team_member(team_id, user.id) is None:
            raise not_allowed(user.id, "view_team")


def _url(given: Json) -> str:
    url = given.get("url")
    if not isinstance(url, str) or not url:
        raise bad_body("url")
    return url


def _filled(empty: Json, given: Json) -> Json:
    """What is known of it, and what is missing empty."""
    return {
        name: value if given.get(name) is None else given[name]
        for name, value in empty.items()
    }


def _understood(answer: bytes) -> Json:
    """The two fields that the client is shown; anything else is as good as nothing."""
    try:
        body = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    told = body if isinstance(body, dict) else {}
    return {name: told[name] for name in ("error", "errors") if told.get(name)}
