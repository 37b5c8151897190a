"""Calls as Mattermost and others make them, and as forgers do."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from malexbot.ports import Grant, PostKnown
from malexbot.ports.grants import field_option
from tests.web.caller import request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

DEPLOY, OTHER, OPS = "d3ploy" * 4, "0ther" * 5, "0ps" * 8
SECRET = "a webhook's secret of some length"
SETTINGS: Mapping[str, Any] = {
    "command_tokens": {"deploy": DEPLOY, "other": OTHER},
    "outgoing_tokens": {"ops": OPS},
}
WEBHOOKS = {"ci": {"secret": SECRET}}
PLUGIN = """
from malexbot import action, command, dialog, webhook

@command("/deploy", "deploy")
def deploy(event, bot):
    bot.answer("deployed")

@action("go")
def go(event, bot):
    bot.answer("gone")

@dialog("ask")
def ask(event, bot):
    bot.refuse("asked")

@webhook("/ci")
def ci(event, bot):
    pass
"""

ALICE, EVE, HERE, THERE, POST = (
    "alice" * 5,
    "eve" * 8,
    "here" * 6,
    "there" * 5,
    "p1" * 13,
)
BUTTON, USED, EXPIRED, HERS, ITS, DIALOG, NOBODYS, POSTED = (
    f"{number:032x}" for number in range(1, 9)
)
UNKNOWN = "f" * 32


def _grant(ref: str, kind: Any = "button", **more: Any) -> Grant:
    return Grant(
        **{
            **{"ref": ref, "kind": kind, "payload": {}, "expires_s": 3600.0},
            **{"action": "shop.ask" if kind == "dialog" else "shop.go", "uses": None},
            **more,
        }
    )


GRANTS = (
    _grant(BUTTON, channel_id=HERE),
    _grant(USED, uses=0),
    _grant(EXPIRED, expires_s=-1.0),
    _grant(HERS, users=(ALICE,)),
    _grant(ITS, options=("red", "green")),
    _grant(DIALOG, "dialog", users=(ALICE,), options=(field_option("stage", "dev"),)),
    _grant(NOBODYS, "dialog"),
    _grant(POSTED, channel_id=HERE),
)
# What is known of them by now: which post carries one.
POSTS = (PostKnown((POSTED,), POST),)


def slash(
    method: str = "POST", header: str = f"Token {DEPLOY}", **fields: str
) -> bytes:
    told = {
        **{"token": DEPLOY, "command": "/deploy", "user_id": ALICE, "user_name": "a"},
        **{"channel_id": HERE, "team_id": "", "text": "", **fields},
    }
    headers = {"authorization": header} if header else {}
    if method == "GET":
        return request("GET", f"/slash?{urlencode(told)}", **headers)
    body = urlencode(told).encode()
    return request("POST", "/slash", body, content_type=FORM, **headers)


def press(
    ref: Any,
    user: str = ALICE,
    channel: str = HERE,
    post: str = POST,
    source: str = "",
    **context: Any,
) -> bytes:
    told = {
        **{"user_id": user, "channel_id": channel, "post_id": post, "team_id": ""},
        **{"type": "button", "context": {"ref": ref, **context}},
        **{"data_source": source},
    }
    return _json("/actions", told)


def submit(ref: Any, user: str = ALICE, callback: str = "ask", **values: Any) -> bytes:
    told = {
        **{"type": "dialog_submission", "callback_id": callback, "state": ref},
        **{"user_id": user, "channel_id": HERE, "team_id": "", "submission": values},
    }
    return _json("/dialogs", told)


def outgoing(**fields: str) -> bytes:
    told = {
        **{"token": OPS, "user_id": ALICE, "channel_id": HERE, "post_id": POST},
        **{"team_id": "", "text": "hello", "trigger_word": "", **fields},
    }
    body = urlencode(told).encode()
    return request("POST", "/hooks/outgoing", body, content_type=FORM)


def hook(name: str = "ci", secret: str = SECRET, **headers: str) -> bytes:
    body = b'{"action": "opened"}'
    if not headers:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x_hub_signature_256": f"sha256={digest}"}
    return request("POST", f"/hooks/{name}", body, content_type=JSON, **headers)


def _json(path: str, told: Mapping[str, Any]) -> bytes:
    return request("POST", path, json.dumps(told).encode(), content_type=JSON)


# What each door answers to who may call, and what nobody else may tell from it.
GENUINE: Mapping[str, Mapping[str, tuple[bytes, str]]] = {
    "/slash": {
        "by POST": (slash(), "deployed"),
        "by GET": (slash("GET"), "deployed"),
    },
    "/actions": {
        "of everybody": (press(BUTTON), "gone"),
        "of hers": (press(HERS), "gone"),
        "of a menu": (press(ITS, selected_option="red"), "gone"),
        "of a menu of users": (
            press(BUTTON, source="users", selected_option=EVE),
            "gone",
        ),
        "on its post": (press(POSTED), "gone"),
    },
    "/dialogs": {
        "of hers": (submit(DIALOG), "asked"),
        "with a choice": (submit(DIALOG, stage="dev"), "asked"),
    },
    "/hooks/outgoing": {"with its token": (outgoing(), "{")},
    "/hooks/<name>": {
        "signed": (hook(), "{}"),
        "with a token": (hook(x_gitlab_token=SECRET), "{}"),
    },
}
FORGED: Mapping[str, Mapping[str, bytes]] = {
    "/slash": {
        "a wrong token": slash(token="x" * 24, header=f"Token {'x' * 24}"),
        "no token": slash(token="", header=""),
        "no token in the form": slash(token=""),
        "no token in the header": slash(header=""),
        "another one in the header": slash(header=f"Token {OTHER}"),
        "another one in the form": slash(token=OTHER),
        "another command's": slash(token=OTHER, header=f"Token {OTHER}"),
        "a webhook's": slash(token=OPS, header=f"Token {OPS}"),
        "a command nobody has": slash(command="/nobody"),
        "half of the token": slash(token=DEPLOY[:12], header=f"Token {DEPLOY[:12]}"),
        "the token and more": slash(token=DEPLOY + "x", header=f"Token {DEPLOY}x"),
        "by GET, a wrong one": slash("GET", token="x" * 24),
        "by GET, none in the header": slash("GET", header=""),
    },
    "/actions": {
        "no reference": press(""),
        "a reference that is none": press("' OR true; --"),
        "a reference nobody has": press(UNKNOWN),
        "half of one": press(BUTTON[:16]),
        "one with more": press(BUTTON + "0"),
        "a used one": press(USED),
        "an expired one": press(EXPIRED),
        "somebody else's": press(HERS, user=EVE),
        "another channel's": press(BUTTON, channel=THERE),
        "a choice nobody has": press(ITS, selected_option="blue"),
        "a choice that is no id": press(
            BUTTON, source="channels", selected_option="@all"
        ),
        "on another post": press(POSTED, post="p2" * 13),
        "a dialog's": press(DIALOG),
    },
    "/dialogs": {
        "no state": submit(""),
        "a state nobody has": submit(UNKNOWN),
        "somebody else's": submit(DIALOG, user=EVE),
        "nobody's": submit(NOBODYS),
        "another dialog's": submit(DIALOG, callback="other"),
        "a choice nobody has": submit(DIALOG, stage="prod"),
        "a button's": submit(BUTTON),
    },
    "/hooks/outgoing": {
        "a wrong token": outgoing(token="x" * 24),
        "no token": outgoing(token=""),
        "a command's": outgoing(token=DEPLOY),
    },
    "/hooks/<name>": {
        "no secret": hook(accept="*/*"),
        "a wrong one": hook(x_gitlab_token="x" * 24),
        "signed with a wrong one": hook(secret="x" * 24),
        "signed for another body": hook(x_hub_signature_256=f"sha256={'0' * 64}"),
        "an address nobody has": hook("nobody"),
        "a token of Mattermost": hook(authorization=f"Token {DEPLOY}"),
    },
}


def forged() -> Iterator[tuple[str, str]]:
    for rule, forgeries in FORGED.items():
        for name in forgeries:
            yield rule, name


def genuine() -> Iterator[tuple[str, str]]:
    for rule, calls in GENUINE.items():
        for name in calls:
            yield rule, name
