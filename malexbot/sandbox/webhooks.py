"""Webhooks: those by which others post, and those that tell others of posts."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from malexbot.sandbox import gojson, slack
from malexbot.sandbox.content import Post
from malexbot.sandbox.gojson import NotJson
from malexbot.sandbox.integrations import IncomingHook, OutgoingHook
from malexbot.sandbox.model import Channel, Json
from malexbot.sandbox.outgoing import FORM, JSON, NoAnswer, Outgoing
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.world import World

_log = logging.getLogger(__name__)
_INCOMING = {
    "text": str,
    "username": str,
    "icon_url": str,
    "channel": str,
    "props": dict,
    "attachments": list,
    "type": str,
}
_ANSWER = _INCOMING | {"response_type": str}
_DEFAULT_NAME = "webhook"
# No post may pretend to be of somebody else by its props.
_OWN = {"attachments", "override_icon_url", "override_username", "from_webhook"}
_CALLERS = 4


@dataclass(frozen=True)
class Speaker:
    """In whose name a webhook posts, and what the post says of the webhook."""

    user_id: str
    title: str
    username: str = ""
    icon_url: str = ""


@dataclass(frozen=True)
class Incoming:
    """Posts what comes by a webhook, under the world's lock."""

    world: World
    posts: Posts
    rooms: Rooms

    def post(self, hook_id: str, told: Json) -> None:
        hook = self.world.incoming_hooks.get(hook_id)
        if hook is None:
            detail = f"resource: IncomingWebhook id: {hook_id}"
            raise Refusal("web.incoming_webhook.invalid.app_error", detail)
        if not told.get("text") and "attachments" not in told:
            raise Refusal("web.incoming_webhook.text.app_error")
        channel = self._channel(hook, told.get("channel", ""))
        if hook.channel_locked and channel.id != hook.channel_id:
            raise Refusal("web.incoming_webhook.channel_locked.app_error")
        user = self.world.user(hook.user_id)
        if channel.type != "O" and not self.world.may_in_channel(user, channel.id):
            raise Refusal("web.incoming_webhook.permissions.app_error")
        speaker = Speaker(
            user_id=hook.user_id,
            title=hook.display_name,
            username=told.get("username") or hook.username,
            icon_url=told.get("icon_url") or hook.icon_url,
        )
        self.say(speaker, channel, told)

    def say(
        self, speaker: Speaker, channel: Channel, told: Json, root_id: str = ""
    ) -> None:
        """A long text becomes several posts; no outgoing webhook is told of them."""
        text = slack.read(self.world, told.get("text", ""))
        most = self.world.settings.max_post_runes
        parts = [text[at : at + most] for at in range(0, len(text), most)] or [""]
        props, kind = self._props(speaker, told), told.get("type", "")
        if "attachments" in props:
            kind = kind or "slack_attachment"
        user = self.world.user(speaker.user_id)
        for at, part in enumerate(parts, 1):
            is_last = at == len(parts)
            own = props if is_last else _without_attachments(props)
            draft = Draft(
                channel_id=channel.id,
                message=part,
                root_id=root_id,
                type=kind if is_last else "",
                props=own,
            )
            self.posts.create(user, draft, triggers=False)

    def _props(self, speaker: Speaker, told: Json) -> Json:
        given = told.get("props", {})
        props = {name: value for name, value in given.items() if name not in _OWN}
        props["from_webhook"] = "true"
        props["override_username"] = speaker.username or _DEFAULT_NAME
        if speaker.icon_url:
            props["override_icon_url"] = speaker.icon_url
        props["webhook_display_name"] = speaker.title
        if told.get("attachments"):
            read = slack.read_attachments(self.world, told["attachments"])
            props["attachments"] = read
        return props

    def _channel(self, hook: IncomingHook, name: str) -> Channel:
        """By its name, `#name`, or `@somebody`; by default the webhook's own."""
        if name.startswith("@"):
            other = self.world.user_by_name(name[1:])
            if other is None:
                raise Refusal("web.incoming_webhook.user.app_error")
            return self.rooms.direct(self.world.user(hook.user_id), other)
        if name:
            name = name.removeprefix("#")
            found = self.rooms.channel_by_name(hook.team_id, name)
        else:
            found = self.world.channels.get(hook.channel_id)
        if found is None:
            detail = f"resource: Channel id: TeamId={hook.team_id}&Name={name}"
            raise Refusal("web.incoming_webhook.channel.app_error", detail)
        return found


class Tellers:
    """Tell outgoing webhooks of posts, on threads of their own."""

    def __init__(self, world: World, outgoing: Outgoing, incoming: Incoming) -> None:
        self._world = world
        self._outgoing = outgoing
        self._incoming = incoming
        self._callers: ThreadPoolExecutor | None = None
        world.tell_hooks = self.tell

    def tell(self, post: Post) -> None:
        """Called under the world's lock for each post that may trigger one."""
        channel = self._world.channels[post.channel_id]
        if channel.type != "O":
            return
        for hook in self._world.outgoing_hooks:
            word = _triggered(hook, post) if hook.team_id == channel.team_id else None
            if word is not None:
                self._call(hook, post, channel, word)

    def stop(self) -> None:
        """Wait for those that are being told."""
        callers, self._callers = self._callers, None
        if callers is not None:
            callers.shutdown(cancel_futures=True)

    def _call(
        self, hook: OutgoingHook, post: Post, channel: Channel, word: str
    ) -> None:
        if self._callers is None:
            self._callers = ThreadPoolExecutor(_CALLERS, "sandbox-hooks")
        told = self._told(hook, post, channel, word)
        is_json = hook.content_type == JSON
        body = orjson.dumps(told) if is_json else _form(told)
        for url in hook.callback_urls:
            self._callers.submit(self._tell, hook, url, body, post)

    def _told(
        self, hook: OutgoingHook, post: Post, channel: Channel, word: str
    ) -> Json:
        team = self._world.teams[hook.team_id]
        return {
            "token": hook.token,
            "team_id": team.id,
            "team_domain": team.name,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "timestamp": post.create_at,
            "user_id": post.user_id,
            "user_name": self._world.user(post.user_id).username,
            "post_id": post.id,
            "text": post.message,
            "trigger_word": word,
            "file_ids": ",".join(post.file_ids),
        }

    def _tell(self, hook: OutgoingHook, url: str, body: bytes, post: Post) -> None:
        """What it answers is posted; what goes wrong is only logged."""
        try:
            self._answer(hook, post, self._asked(hook, url, body))
        except (NoAnswer, NotJson, Refusal) as error:
            _log.info("outgoing webhook %s, post %s: %s", hook.id, post.id, error)

    def _asked(self, hook: OutgoingHook, url: str, body: bytes) -> Json:
        kind = JSON if hook.content_type == JSON else FORM
        reply = self._outgoing.ask(url, body, kind)
        return gojson.read(reply.body, _ANSWER) if reply.body.strip() else {}

    def _answer(self, hook: OutgoingHook, post: Post, answer: Json) -> None:
        if "text" not in answer and not answer.get("attachments"):
            return
        speaker = Speaker(
            user_id=hook.creator_id,
            title=hook.display_name,
            username=answer.get("username") or hook.username,
            icon_url=answer.get("icon_url") or hook.icon_url,
        )
        root_id = post.id if answer.get("response_type") == "comment" else ""
        with self._world.lock:
            channel = self._world.channels[post.channel_id]
            self._incoming.say(speaker, channel, answer, root_id)


def read_incoming(kind: str, body: bytes, form: Json) -> Json:
    """What came to a webhook: JSON, or a form with JSON in its field `payload`."""
    if kind.partition(";")[0].strip() == FORM:
        body = str(form.get("payload", "")).encode()
    try:
        return gojson.read(body, _INCOMING)
    except NotJson as error:
        refusal_id = "model.incoming_hook.parse_data.app_error"
        raise Refusal(refusal_id, str(error)) from error


def _triggered(hook: OutgoingHook, post: Post) -> str | None:
    """The word by which a post does it; None: it does not."""
    if hook.channel_id not in ("", post.channel_id):
        return None
    if hook.channel_id and not hook.trigger_words:
        return ""
    first = (post.message.split() or [""])[0]
    fits = (first.startswith, first.__eq__)[not hook.trigger_when]
    return next((word for word in hook.trigger_words if word and fits(word)), None)


def _form(told: Json) -> bytes:
    """Here the time is in seconds."""
    fields = told | {"timestamp": told["timestamp"] // 1000}
    return urlencode(sorted(fields.items())).encode()


def _without_attachments(props: Json) -> Json:
    return {name: value for name, value in props.items() if name != "attachments"}
