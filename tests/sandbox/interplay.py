"""Asks a sandbox again how commands, buttons, dialogs and webhooks went.

Each step has a number in the recording. What was asked, what the integration was
told, and what alice's and the bot's websockets were told is compared.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import requests

from malexbot.sandbox.sandbox import Sandbox
from tests.sandbox.clients import Client
from tests.sandbox.integration import Integration, Reply, Told
from tests.sandbox.recorded import load
from tests.sandbox.replay import Replay

_DROPPED = "connection_dropped"


class Interplay(Replay):
    """A replay with an integration, which answers as it did in the recording."""

    def __init__(self, sandbox: Sandbox, integration: Integration) -> None:
        super().__init__(sandbox)
        self.rows |= load("interact.jsonl")
        self.calls = load("callbacks.jsonl")
        self.told = load("told.jsonl")
        self.integration = integration
        self.sockets: dict[str, Client] = {}
        self.same.addresses = {
            "127.0.0.1:18080": integration.url.removeprefix("http://"),
            "127.0.0.1:8065": sandbox.url.removeprefix("http://"),
        }

    def step(
        self,
        number: str,
        *names: str,
        do: Callable[[], Any] | None = None,
        loose: frozenset[str] = frozenset(),
    ) -> None:
        """Ask for these, or `do` what was not recorded as a request."""
        call = _of_step(self.calls, number)
        self.drain()
        if call:
            self.integration.will(self._reply(call))
        if do is not None:
            do()
        self.ask(*names, loose=loose)
        if call:
            told = self.integration.take()
            self.found[call["name"]] = self._compare_call(call, told)
        self.hear(number)

    def hear(self, number: str) -> None:
        """The frames of a step, in their order on each socket."""
        for name, row in self.told.items():
            if name.startswith(f"{number}_"):
                self.found[name] = [
                    difference
                    for who in row["to"]
                    for difference in self._compare_frame(who, row["frame"])
                ]

    def drain(self) -> None:
        """What the sockets were told before does not matter."""
        for socket in self.sockets.values():
            socket.upto_reply()

    def send(self, name: str, row: dict[str, Any]) -> requests.Response:
        """Doors that need no token have paths of their own."""
        if not row.get("is_door"):
            return super().send(name, row)
        body = self.same.ours(row["body"])
        text = body if isinstance(body, str) else json.dumps(body)
        kind = row.get("content_type", "application/json")
        url = self.sandbox.url + self.same.ours(row["path"])
        return requests.post(url, data=text, headers={"Content-Type": kind}, timeout=30)

    def _reply(self, call: dict[str, Any]) -> Reply:
        answer = call["answer"]
        return Reply(
            body=self.same.ours(answer["body"]),
            status=answer["status"],
            kind=answer["content_type"],
            is_late=bool(answer["delay_s"]),
            is_dropped=_DROPPED in call["name"],
        )

    # Comparing.

    def _compare_frame(self, who: str, recorded: dict[str, Any]) -> list[str]:
        frame = self.sockets[who].receive()
        del frame["seq"]
        found = self.same.differences(recorded, frame, frozenset({"cookie"}))
        return [f"{who}{difference}" for difference in found]

    def _compare_call(self, call: dict[str, Any], told: Told) -> list[str]:
        found = []
        wanted = [tuple(each) for each in self.same.ours(call["headers"])]
        if _named(wanted) != _named(told.headers):
            found.append(f"headers {wanted} became {told.headers}")
        if (call["method"], _path(call["target"])) != (told.method, _path(told.target)):
            found.append(f"{call['method']} {call['target']} became {told.target}")
        recorded = call["body"] or call["target"].partition("?")[2]
        ours = told.body or told.target.partition("?")[2]
        if not recorded.startswith("{") and _keys(recorded) != _keys(ours):
            found.append(f"fields {_keys(recorded)} became {_keys(ours)}")
        self._bind_response_url(recorded, ours)
        before, after = _fields(recorded), _fields(ours)
        if "trigger_id" in before:
            self.same.exact[before["trigger_id"]] = after["trigger_id"]
            before["trigger"] = _opened(before.pop("trigger_id"))
            after["trigger"] = _opened(after.pop("trigger_id"))
        return found + self.same.differences(before, after)

    def _bind_response_url(self, recorded: str, ours: str) -> None:
        pattern = re.compile(r"hooks%2Fcommands%2F(\w{26})")
        before, after = pattern.search(recorded), pattern.search(ours)
        if before and after:
            self.same.bind(before[1], after[1])


def _of_step(rows: dict[str, Any], number: str) -> dict[str, Any] | None:
    found = (row for name, row in rows.items() if name.startswith(f"{number}_"))
    return next(found, None)


def _path(target: str) -> str:
    return target.partition("?")[0]


def _keys(text: str) -> list[str]:
    return [name for name, _ in parse_qsl(text, keep_blank_values=True)]


def _named(headers: list[Any]) -> list[tuple[str, str]]:
    """Sizes are others."""
    return [(k, "" if k == "Content-Length" else v) for k, v in headers]


def _fields(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        return dict(json.loads(text))
    lists = parse_qs(text, keep_blank_values=True)
    fields: dict[str, Any] = {k: v[0] if len(v) == 1 else v for k, v in lists.items()}
    if "timestamp" in fields:
        fields["timestamp"] = int(fields["timestamp"]) * 1000
    return fields


def _opened(trigger: str) -> list[Any]:
    """The client's id, the user's, and when; not the signature."""
    client_id, user_id, at, _ = base64.b64decode(trigger).decode().split(":")
    return [client_id, user_id, int(at)]
