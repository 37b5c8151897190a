"""The door of the addresses that plugins have: who calls, and what the event is.

A caller signs the body (GitHub, Gitea) or shows the secret; whoever does neither is
told nothing. The event is durable before he is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from malexbot.config.permissions import Webhook
from malexbot.errors import Transient
from malexbot.events import Event, Peer, User
from malexbot.plugins.triggers import HOOK
from malexbot.ports import Answered, Call
from malexbot.runtime.alarm import Alarm

log = logging.getLogger(__name__)

PREFIX = "/hooks"
# What of the headers a handler sees: what kind of call it is. No secret is among them.
SHOWN = (
    *("content-type", "user-agent", "idempotency-key"),
    *("x-github-event", "x-github-delivery", "x-gitea-event", "x-gitlab-event"),
)
_SIGNATURES = ("x-hub-signature-256", "x-gitea-signature", "x-signature-256")
# A caller that says so itself is not acted on again when it calls again.
_SAME = ("idempotency-key", "x-github-delivery", "x-gitea-delivery")
RETRY_AFTER_S = 5
# A form that has more is refused on its way here.
MOST_FIELDS = 1000

Offer = Callable[[Event], object]
NO = Answered(401, b"{}")


class Hooks:
    """A `Door`; `offer` makes an event durable, or raises Transient."""

    def __init__(
        self,
        webhooks: Mapping[str, Webhook],
        *,
        offer: Offer,
        now_ms: Callable[[], int],
        source: str = "mattermost",
    ) -> None:
        self._webhooks = webhooks
        self._offer = offer
        self._now_ms = now_ms
        self._source = source
        self._alarm = Alarm()

    def adopt(self, webhooks: Mapping[str, Webhook]) -> None:
        """From now on these are there."""
        self._webhooks = webhooks

    def __call__(self, call: Call) -> Answered:
        name = call.path.removeprefix(PREFIX).strip("/")
        webhook = self._webhooks.get(name)
        # Unknown or wrong: from outside it is the same, and it takes as long.
        secret = webhook.secret.get_secret_value() if webhook else secrets.token_hex()
        is_authentic = _is_authentic(call, secret.encode())
        if webhook is None or not is_authentic:
            reason = "no such webhook, or not its secret"
            self._alarm.warn(f"{PREFIX}/{name[:40]!r}", call.remote, reason)
            return NO
        try:
            self._offer(self._event(f"/{name}", call))
        except Transient as error:
            log.warning("webhook %s cannot be taken now: %s", name, error)
            return Answered(503, b"{}", retry_after_s=RETRY_AFTER_S)
        return Answered()

    def _event(self, path: str, call: Call) -> Event:
        shown = {name: call.headers[name] for name in SHOWN if name in call.headers}
        return Event(
            event_id=_event_id(path, call),
            source=self._source,
            name=HOOK,
            event_type=HOOK,
            peer=Peer("", ""),
            user=User(""),
            occurred_at=self._now_ms(),
            origin="live",
            connection=0,
            raw=call.body,
            data={"path": path, "headers": shown, "body": _body(call)},
        )


def _is_authentic(call: Call, secret: bytes) -> bool:
    """Yes: whoever calls knows the secret. All of it is compared in constant time."""
    signed = hmac.new(secret, call.body, hashlib.sha256).hexdigest().encode()
    given = [
        call.headers.get(name, "").removeprefix("sha256=").lower().encode()
        for name in _SIGNATURES
    ]
    shown = [each.encode(errors="replace") for each in _shown(call)]
    return any([hmac.compare_digest(each, signed) for each in given]) or any(
        [hmac.compare_digest(each, secret) for each in shown]
    )


def _shown(call: Call) -> list[str]:
    _, _, token = call.headers.get("authorization", "").partition(" ")
    asked = _fields(call.query).get("token", [])
    return [call.headers.get("x-gitlab-token", ""), token.strip(), *asked[:1]]


def _fields(text: str) -> Mapping[str, list[str]]:
    """Those of a form; one that has too many has none."""
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}


def _event_id(path: str, call: Call) -> str:
    for name in _SAME:
        if given := call.headers.get(name):
            digest = hashlib.sha256(f"{path}\n{name}\n{given}".encode()).hexdigest()
            return f"hook:{digest[:32]}"
    return f"hook:{secrets.token_hex(16)}"


def _body(call: Call) -> Any:
    """JSON as it is, a form as its fields, anything else as text."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = call.body.decode(errors="replace")
    if kind == "application/x-www-form-urlencoded":
        return {name: values[-1] for name, values in _fields(text).items()}
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return text
