"""Recorded calls of a real server, made anew with other values; who answers them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from malexbot.config.mattermost import Mattermost as Settings
from malexbot.errors import Transient
from malexbot.events import Event
from malexbot.messengers.mattermost.callbacks.doors import doors
from malexbot.messengers.mattermost.messenger import Server
from malexbot.ports import Answered, Call, Grant, KeptCommand
from tests.support.commands import MemoryCommands
from tests.support.grants import MemoryGrants

FILE = Path(__file__).parents[3] / "fixtures/mattermost/callbacks/calls.jsonl"
PATHS = {
    "/slash": "/slash",
    "/slashget": "/slash",
    "/act": "/actions",
    "/dlg": "/dialogs",
    "/outform": "/hooks/outgoing",
    "/outjson": "/hooks/outgoing",
}
NAMES = {"alice": "zoe", "ch-one": "harbour", "ch-two": "attic", "malex&": "crew&"}
PUBLIC_URL = "https://bot.example.org"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
REF = "0123456789abcdef" * 2

_ID = re.compile(r"(?<![A-Za-z0-9])[a-z0-9]{26}(?![A-Za-z0-9])|[a-z0-9]{26}(?=__)")


@dataclass(frozen=True)
class Recorded:
    """A call as it came from the server once."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: str


def recordings() -> list[Recorded]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Recorded(**json.loads(line)) for line in lines]


def named(part: str) -> Recorded:
    return next(each for each in recordings() if part in each.name)


def anew(recorded: Recorded) -> Call:
    """The same kind of call, of other people in another place with other secrets."""
    path, _, query = _other(recorded.target).partition("?")
    headers = {name: _other(value) for name, value in recorded.headers.items()}
    body = _other(recorded.body).encode()
    return Call(recorded.method, PATHS[path], query, headers, body, remote="192.0.2.7")


def _other(text: str) -> str:
    text = _ID.sub(lambda found: other_id(found[0]), text)
    for name, new in NAMES.items():
        text = text.replace(name, new)
    return text


def other_id(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:26]


def fields_of(call: Call) -> dict[str, Any]:
    """What stands in it, as the test reads it: the last of a name."""
    if call.headers.get("content-type") == JSON:
        told: dict[str, Any] = json.loads(call.body)
        return told
    text = call.query if call.method == "GET" else call.body.decode()
    return dict(parse_qsl(text, keep_blank_values=True))


def with_fields(call: Call, **changes: Any) -> Call:
    """The same call with other fields; None takes one away."""
    if call.headers.get("content-type") == JSON:
        told = _changed(fields_of(call), changes)
        return call._replace(body=json.dumps(told).encode())
    text = call.query if call.method == "GET" else call.body.decode()
    pairs = dict(parse_qsl(text, keep_blank_values=True))
    told_text = urlencode(_changed(pairs, changes))
    if call.method == "GET":
        return call._replace(query=told_text)
    return call._replace(body=told_text.encode())


def _changed(fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    told = {**fields, **changes}
    return {name: value for name, value in told.items() if value is not None}


class EchoDesk:
    """Takes every event, and answers as it was told to."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waits: list[float] = []
        self.written: list[str] = []
        self.answer: Mapping[str, Any] | None = {}
        self.error: Exception | None = None

    def ask(self, event: Event, wait_s: float) -> Mapping[str, Any] | None:
        if self.error:
            raise self.error
        self.events.append(event)
        self.waits.append(wait_s)
        return self.answer

    def note_written(self, event_id: str) -> None:
        self.written.append(event_id)


class AwayCommands(MemoryCommands):
    """They cannot be asked while they are away."""

    is_away = False

    def find(self, trigger: str, team_id: str) -> Sequence[KeptCommand]:
        if self.is_away:
            raise Transient("the database is away")
        return super().find(trigger, team_id)


@dataclass
class Backend:
    """The doors of a malexbot that keeps everything in memory."""

    address: str = "http://127.0.0.1:1"
    desk: EchoDesk = field(default_factory=EchoDesk)
    commands: AwayCommands = field(default_factory=AwayCommands)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.grants = MemoryGrants(lambda: self.now)
        self.server = Server(
            Settings.model_validate(
                {
                    "http_host": self.address,
                    "token": "b0t",
                    "command_tokens": {
                        "byhand": "Hand-Made-1",
                        "crew/inteam": "Hand-Made-2",
                    },
                    "outgoing_tokens": {
                        "form": other_id("9gbkzfd4jjyybeqjg1kk31wspw"),
                        "json": other_id("1fah1ppnybdgzqwy7sddges14o"),
                    },
                }
            ),
            public_url=PUBLIC_URL,
        )
        self.server.client.link.own_id = "the-bot"
        # Who fills a dialog in has pressed something or given a command before.
        people = self.server.people
        people.meet(other_id("o7pqbb9yi3gkdybrbuee6nuq6r"), "zoe")
        people.meet_at(other_id("gjrw6j4f7tye3bo7g58bhmy7ra"), "harbour")
        self.doors = doors(
            self.server, desk=self.desk, grants=self.grants, commands=self.commands
        )

    def close(self) -> None:
        self.server.client.link.close()

    def knock(self, call: Call) -> Answered:
        return self.doors[call.path](call)

    def told(self, call: Call) -> dict[str, Any]:
        """What it is answered, which has to be good JSON in a 200."""
        answered = self.knock(call)
        assert answered.status == 200
        assert answered.content_type == JSON
        told: dict[str, Any] = json.loads(answered.body)
        return told

    @property
    def event(self) -> Event:
        (event,) = self.desk.events
        return event

    def allow(self, call: Call) -> Call:
        """Have what it needs to be let in; what it shows is put into it."""
        fields = fields_of(call)
        if call.path == "/slash":
            self.keep_token(fields)
        elif call.path == "/actions":
            self.grant(channel_id=fields["channel_id"])
            chosen = fields["context"].get("selected_option")
            context = {"ref": REF} | ({"selected_option": chosen} if chosen else {})
            return with_fields(call, context=context)
        elif call.path == "/dialogs":
            self.grant(
                kind="dialog",
                action="rota.request",
                channel_id=fields["channel_id"],
                users=(fields["user_id"],),
            )
            return with_fields(call, state=REF, callback_id="request")
        return call

    def keep_token(self, fields: Mapping[str, str], *, token: str = "") -> None:
        self.commands.keep(
            KeptCommand.of(
                id=other_id(fields["command"] + fields["team_id"]),
                team_id=fields["team_id"],
                trigger=fields["command"].removeprefix("/"),
                token=token or fields["token"],
            )
        )

    def grant(self, **changes: Any) -> Grant:
        made = Grant(
            ref=REF, kind="button", action="rota.approve", payload={"n": 7}
        )._replace(expires_s=60.0, **changes)
        self.grants.make([made])
        return made
