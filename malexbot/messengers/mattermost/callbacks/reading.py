"""Reads what Mattermost sends: forms and JSON, into values that are what they say.

Nothing in a call is trusted before its secret was found to be right; and then only
what fits: ids are letters and digits, texts have no NUL, maps are flat.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from malexbot.events import Event, Peer, User
from malexbot.messengers.mattermost.callbacks.refusals import Unfit
from malexbot.messengers.mattermost.forms import clean
from malexbot.messengers.mattermost.translate import SOURCE
from malexbot.ports import Call

# A command that names a hundred people has two hundred more.
MOST_FIELDS = 1000
LONGEST_NAME = 200
LONGEST_TRIGGER = 2000

_ID = re.compile("[A-Za-z0-9]{1,64}")
# Of two ids, which no channel of a team can be called.
_DIRECT = re.compile("[a-z0-9]{26}__[a-z0-9]{26}")
# What of a call is kept if it cannot be an event; never its secrets.
_TOLD = ("command", "text", "user_name", "channel_name", "team_domain", "trigger_word")
_TOLD_IDS = ("user_id", "channel_id", "team_id", "post_id", "callback_id")


def is_id(text: str) -> bool:
    """Yes: it is such as the server gives to users, channels and posts."""
    return _ID.fullmatch(text) is not None


class Fields:
    """The fields of a form or an object, each read as what it should be."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str, longest: int | None = None) -> str:
        """Some text; "" if there is none."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or longest is not None and len(value) > longest:
            raise Unfit(f"{name} is no such text")
        return clean(value)

    def id(self, name: str) -> str:
        """An id, which has to be there."""
        value = self.text(name)
        if not is_id(value):
            raise Unfit(f"{name} is no id")
        return value

    def id_or_none(self, name: str) -> str:
        """An id; "" if there is none, as the team of a direct message."""
        return self.id(name) if self.text(name) else ""

    def map(self, name: str) -> Mapping[str, Any]:
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise Unfit(f"{name} is no map")
        return value

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True

    def raw(self) -> bytes:
        """What a person may see of it."""
        told = {
            name: self._values[name]
            for name in (*_TOLD, *_TOLD_IDS)
            if isinstance(self._values.get(name), str)
        }
        return orjson.dumps(told)


class Form(NamedTuple):
    """A form: its fields, of which some are there several times."""

    pairs: Sequence[tuple[str, str]]

    @property
    def fields(self) -> Fields:
        """Of each the last: what the URL had of itself stands before."""
        return Fields(dict(self.pairs))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def form(text: str) -> Form:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Unfit("a form that is none") from error
    return Form([(clean(name), clean(value)) for name, value in pairs])


def form_body(call: Call) -> Form:
    return form(call.body.decode("utf-8", "replace"))


def json_body(call: Call) -> Fields:
    try:
        told = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise Unfit("a body that is no JSON") from error
    if not isinstance(told, dict):
        raise Unfit("a body that is no map")
    return Fields(told)


class Caller(NamedTuple):
    """Who did it, and where."""

    user: User
    peer: Peer
    data: Mapping[str, Any]
    """What else is told of the place; what is not told is left out."""

    @property
    def user_id(self) -> str:
        return str(self.user.uuid)

    @property
    def channel_id(self) -> str:
        return str(self.peer.bpid)

    def __str__(self) -> str:
        return f"user {self.user.uuid}, channel {self.peer.bpid}"


def caller(fields: Fields) -> Caller:
    user_id, channel_id = fields.id("user_id"), fields.id("channel_id")
    name = fields.text("user_name", LONGEST_NAME) or None
    channel = fields.text("channel_name", LONGEST_NAME) or None
    data = {
        "team_id": fields.id_or_none("team_id"),
        "team": fields.text("team_domain", LONGEST_NAME),
        "trigger_id": fields.text("trigger_id", LONGEST_TRIGGER),
        "channel_type": "D" if channel and _DIRECT.fullmatch(channel) else "",
    }
    return Caller(
        User(user_id, name=name, nick=name),
        Peer(channel_id, channel_id, channel),
        {key: value for key, value in data.items() if value},
    )


def event(kind: str, who: Caller, *, now_ms: int, raw: bytes, **parts: Any) -> Event:
    """Nothing in a call tells it from the same call again, so its id is chance."""
    data = {**who.data, **parts.pop("data", {})}
    return Event(
        event_id=secrets.token_hex(16),
        source=SOURCE,
        name=kind,
        event_type=kind,
        peer=who.peer,
        user=who.user,
        occurred_at=now_ms,
        origin="live",
        connection=0,
        raw=raw,
        data={key: value for key, value in data.items() if value not in ("", None)},
        **parts,
    )
