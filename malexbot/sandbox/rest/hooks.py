"""Webhooks: made, listed, dropped; and the door of the incoming ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from malexbot.sandbox.call import OK, Answer, Call, Result, Route, created
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.integrations import IncomingHook, OutgoingHook
from malexbot.sandbox.model import Json
from malexbot.sandbox.outgoing import FORM
from malexbot.sandbox.refusals import Refusal, bad_body
from malexbot.sandbox.webhooks import Incoming, read_incoming
from malexbot.sandbox.world import World

# Where the doors are that need no token.
HOOKS = "/hooks"
_INCOMING = "manage_incoming_webhooks"
_OUTGOING = "manage_outgoing_webhooks"
_TEXTS = ("display_name", "description", "username", "icon_url")


def heard() -> Answer:
    """What these doors answer."""
    return Answer(200, b"ok", "text/plain")


@dataclass(frozen=True)
class Hooks:
    world: World
    incoming: Incoming

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/hooks/incoming", self.create_incoming)
        yield Route("GET", "/hooks/incoming", self.list_incoming)
        yield Route("GET", "/hooks/incoming/{hook_id}", self.get_incoming)
        yield Route("DELETE", "/hooks/incoming/{hook_id}", self.drop_incoming)
        yield Route("POST", "/hooks/outgoing", self.create_outgoing)
        yield Route("GET", "/hooks/outgoing", self.list_outgoing)
        yield Route("GET", "/hooks/outgoing/{hook_id}", self.get_outgoing)
        yield Route("DELETE", "/hooks/outgoing/{hook_id}", self.drop_outgoing)
        again = "/hooks/outgoing/{hook_id}/regen_token"
        yield Route("POST", again, self.regenerate)
        yield Route("POST", "/{hook}", self.post, base=HOOKS, is_public=True)

    def post(self, call: Call) -> Result:
        body = call.request.body
        form = dict(parse_qsl(body.decode(errors="replace")))
        kind = call.request.headers.get("content-type", "")
        self.incoming.post(call.params["hook"], read_incoming(kind, body, form))
        return heard()

    # Incoming ones.

    def create_incoming(self, call: Call) -> Result:
        body = call.json("incoming_webhook")
        channel = self.world.channel(str(body.get("channel_id", "")))
        self.world.require_manager(call.user, channel.team_id, _INCOMING)
        if channel.type != "O":
            self.world.require_channel(call.user, channel.id, "read_channel")
        now = self.world.now_ms()
        hook = IncomingHook(
            id=new_id(),
            create_at=now,
            update_at=now,
            user_id=call.user.id,
            channel_id=channel.id,
            team_id=channel.team_id,
            channel_locked=bool(body.get("channel_locked")),
            **_texts(body),
        )
        return created(self.world.incoming_hooks.put(hook).as_dict())

    def list_incoming(self, call: Call) -> Result:
        mine = (
            hook
            for hook in self.world.incoming_hooks
            if self.world.may_manage(call.user, hook.team_id)
        )
        return [hook.as_dict() for hook in mine]

    def get_incoming(self, call: Call) -> Result:
        return self._incoming(call).as_dict()

    def drop_incoming(self, call: Call) -> Result:
        self.world.incoming_hooks.drop(self._incoming(call).id)
        return OK

    def _incoming(self, call: Call) -> IncomingHook:
        hook = self.world.incoming_hooks.get(call["hook_id"])
        if hook is None:
            raise Refusal("app.webhooks.get_incoming.app_error")
        self.world.require_manager(call.user, hook.team_id, _INCOMING)
        return hook

    # Outgoing ones.

    def create_outgoing(self, call: Call) -> Result:
        body = call.json("outgoing_webhook")
        team_id = str(body.get("team_id", ""))
        self.world.require_manager(call.user, team_id, _OUTGOING)
        words, urls = body.get("trigger_words") or [], body.get("callback_urls") or []
        if not isinstance(words, list) or not isinstance(urls, list):
            raise bad_body("outgoing_webhook")
        channel_id = str(body.get("channel_id", ""))
        self._require_sound(channel_id, words, urls)
        now = self.world.now_ms()
        hook = OutgoingHook(
            id=new_id(),
            token=new_id(),
            create_at=now,
            update_at=now,
            creator_id=call.user.id,
            team_id=team_id,
            channel_id=channel_id,
            trigger_words=[str(word) for word in words],
            trigger_when=int(body.get("trigger_when") == 1),
            callback_urls=[str(url) for url in urls],
            content_type=str(body.get("content_type") or FORM),
            **_texts(body),
        )
        return created(self.world.outgoing_hooks.put(hook).as_dict())

    def _require_sound(
        self, channel_id: str, words: list[object], urls: list[object]
    ) -> None:
        if not urls:
            raise Refusal("model.outgoing_hook.is_valid.callback.app_error")
        if not channel_id and not words:
            raise Refusal("api.webhook.create_outgoing.triggers.app_error")
        if channel_id and self.world.channel(channel_id).type != "O":
            raise Refusal("api.webhook.create_outgoing.not_open.app_error")

    def list_outgoing(self, call: Call) -> Result:
        mine = (
            hook
            for hook in self.world.outgoing_hooks
            if self.world.may_manage(call.user, hook.team_id)
        )
        return [hook.as_dict() for hook in mine]

    def get_outgoing(self, call: Call) -> Result:
        return self._outgoing(call).as_dict()

    def drop_outgoing(self, call: Call) -> Result:
        self.world.outgoing_hooks.drop(self._outgoing(call).id)
        return OK

    def regenerate(self, call: Call) -> Result:
        hook = self._outgoing(call)
        hook.token = new_id()
        return self.world.outgoing_hooks.put(hook).as_dict()

    def _outgoing(self, call: Call) -> OutgoingHook:
        hook = self.world.outgoing_hooks.get(call["hook_id"])
        if hook is None:
            raise Refusal("app.webhooks.get_outgoing.app_error")
        self.world.require_manager(call.user, hook.team_id, _OUTGOING)
        return hook


def _texts(body: Json) -> Json:
    return {name: str(body.get(name) or "") for name in _TEXTS}
