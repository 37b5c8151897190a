"""What anybody may send to the doors for commands, buttons, dialogs and webhooks.

An input is a path, a line with the content type, and the body, or the query of a GET.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from malexbot.ports import Call, KeptCommand
from malexbot.storage.wire import from_json, to_json
from tests.fuzz.targets import Target
from tests.messengers.mattermost.callbacks.calls import JSON, PATHS, REF, Backend

TOKEN = "t0ken"
USER = "u" * 26
_FINE = (200, 400, 401)


def build(folder: Path) -> Target:
    def fuzz(told: bytes) -> None:
        path, _, rest = told.partition(b"\n")
        kind, _, body = rest.partition(b"\n")
        door, content_type = path.decode("latin-1"), kind.decode("latin-1")
        if door not in PATHS.values():
            return
        backend = Backend()
        command = KeptCommand.of(id="c", team_id="t", trigger="go", token=TOKEN)
        backend.commands.keep(command)
        backend.server.people.meet(USER, "zoe")
        of = "dialog" if door == "/dialogs" else "button"
        backend.grant(kind=of, users=(USER,), uses=None)
        _knock(backend, door, content_type, body)
        backend.close()

    return fuzz


def _knock(backend: Backend, path: str, kind: str, body: bytes) -> None:
    is_get = kind == "GET"
    call = Call(
        method="GET" if is_get else "POST",
        path=path,
        query=body.decode("latin-1") if is_get else "",
        headers={"content-type": kind, "authorization": f"Token {TOKEN}"},
        body=b"" if is_get else body,
        remote="192.0.2.7",
    )
    answered = backend.knock(call)
    assert answered.status in _FINE, answered
    for event in backend.desk.events:
        assert _has_shown(backend, call), "who let it in?"
        kept = to_json(event)
        assert from_json(kept).event_id == event.event_id
        assert not any("\0" in text for text in _texts(json.loads(kept)))


def _has_shown(backend: Backend, call: Call) -> bool:
    """Yes: there is a secret in it that is good at that door."""
    is_json = call.headers["content-type"].partition(";")[0].strip().lower() == JSON
    if is_json or call.path in ("/actions", "/dialogs"):
        fields: Mapping[str, Any] = json.loads(call.body)
    else:
        text = call.query or call.body.decode("utf-8", "replace")
        fields = dict(parse_qsl(text, keep_blank_values=True))
    if call.path == "/actions":
        return bool(fields["context"]["ref"] == REF)
    if call.path == "/dialogs":
        return bool(fields["state"] == REF and fields["user_id"] == USER)
    hooks = backend.server.settings.outgoing_tokens.values()
    tokens = [hook.token.get_secret_value() for hook in hooks]
    return fields["token"] in ([TOKEN] if call.path == "/slash" else tokens)


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, list):
        for each in told:
            yield from _texts(each)
    elif isinstance(told, dict):
        yield from _texts([*told, *told.values()])
