"""Slash commands: the form or the query that one comes as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from malexbot.events import Command, Event
from malexbot.messengers.mattermost.callbacks.reading import (
    LONGEST_NAME,
    Caller,
    Fields,
    Form,
    caller,
    event,
    form,
    form_body,
)
from malexbot.messengers.mattermost.callbacks.refusals import Refused, Unfit
from malexbot.ports import Call

SCHEME = "token "


class Tokens(Protocol):
    """Which tokens are good."""

    def accept(self, token: str, *, trigger: str, team_id: str, team: str) -> bool: ...


class SlashCommands:
    """Makes an event of each that has the token of that very command."""

    def __init__(self, tokens: Tokens, now_ms: Callable[[], int]) -> None:
        self._tokens = tokens
        self._now_ms = now_ms

    def __call__(self, call: Call) -> Event:
        told = form(call.query) if call.method == "GET" else form_body(call)
        fields = told.fields
        who = caller(fields)
        trigger = _trigger(fields)
        self._require_token(call, fields, who, trigger)
        return event(
            "command",
            who,
            now_ms=self._now_ms(),
            raw=fields.raw(),
            command=Command(f"/{trigger}", fields.text("text")),
            data={
                "response_url": fields.text("response_url"),
                "root_id": fields.id_or_none("root_id"),
                "mentions": _mentions(told, "user") or None,
                "channel_mentions": _mentions(told, "channel") or None,
            },
        )

    def _require_token(
        self, call: Call, fields: Fields, who: Caller, trigger: str
    ) -> None:
        """It is in the form and in a header, which nobody sends but Mattermost."""
        token, team_id = fields.text("token"), str(who.data.get("team_id", ""))
        team, told = str(who.data.get("team", "")), f"/{trigger}, {who}, team {team_id}"
        if not token:
            raise Refused(f"no token ({told})")
        if not _agrees(call.headers.get("authorization", ""), token):
            raise Refused(f"the token is another one in the header ({told})")
        if not self._tokens.accept(token, trigger=trigger, team_id=team_id, team=team):
            raise Refused(f"not the token of that command ({told})")


def _trigger(fields: Fields) -> str:
    """The name of the command without its slash, in small letters."""
    name = fields.text("command", LONGEST_NAME).removeprefix("/").lower()
    if not name or not name.isprintable() or " " in name or "/" in name:
        raise Unfit("command is no name of one")
    return name


def _agrees(header: str, token: str) -> bool:
    """No header is none; one of an OAuth connection stands in place of the token's."""
    if not header.lower().startswith(SCHEME):
        return bool(header)
    return header[len(SCHEME) :].strip() == token


def _mentions(told: Form, what: str) -> dict[str, str]:
    """Who or what is named in the text, and their ids."""
    names, ids = told.all(f"{what}_mentions"), told.all(f"{what}_mentions_ids")
    return dict(zip(names, ids, strict=False))
