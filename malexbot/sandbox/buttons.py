"""What happens when somebody presses a button or chooses from a menu of a post."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from malexbot.sandbox import attachments, gojson, slack
from malexbot.sandbox.changes import Changes
from malexbot.sandbox.gojson import NotJson
from malexbot.sandbox.integrations import Whisper
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.outgoing import Outgoing, failed
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.refusals import Refusal, not_allowed
from malexbot.sandbox.triggers import Triggers
from malexbot.sandbox.world import World

# Others are no part of a path that the server knows.
_ID = re.compile(r"[A-Za-z0-9]+")
# These of a post's props no update changes.
_RETAINED = ("from_webhook", "override_username", "override_icon_url")
_ANSWER: Mapping[str, type] = {
    "update": dict,
    "ephemeral_text": str,
    "skip_slack_parsing": bool,
}
_UPDATE = {"message": str, "props": dict, "file_ids": list}


@dataclass(frozen=True)
class Press:
    """Which action of which post; the cookie is that of an ephemeral one."""

    post_id: str
    action_id: str
    option: str = ""
    cookie: str = ""


@dataclass(frozen=True)
class Target:
    """What was pressed, as it is at that moment."""

    post_id: str
    channel_id: str
    root_id: str
    props: Json
    action: Json


@dataclass(frozen=True)
class Buttons:
    """Tells the integration and does what it answers."""

    world: World
    posts: Posts
    changes: Changes
    outgoing: Outgoing
    triggers: Triggers

    def press(self, user: User, press: Press) -> str:
        """The id by which the client knows a dialog that this opens."""
        with self.world.lock:
            target = self._target(user, press)
            client_id, trigger_id = self.triggers.make(user.id)
            told = self._told(user, target, trigger_id, press.option)
        answer = _read(self.outgoing.post(target.action["integration"]["url"], told))
        with self.world.lock:
            self._do(user, target, answer)
        return client_id

    def _target(self, user: User, press: Press) -> Target:
        if not _ID.fullmatch(press.action_id):
            raise Refusal("api.context.404.app_error")
        if press.cookie:
            return self._whispered(user, press)
        post = self.world.posts.get(press.post_id)
        if post is None or self.world.member(post.channel_id, user.id) is None:
            raise not_allowed(user.id, "read_channel")
        post = self.world.live_post(post.id)
        return Target(
            post_id=post.id,
            channel_id=post.channel_id,
            root_id=post.root_id or post.id,
            props=post.props,
            action=_action(post.props, press.action_id),
        )

    def _whispered(self, user: User, press: Press) -> Target:
        whisper = self.world.whispers.get(press.post_id)
        props = whisper.props if whisper else {}
        found = (
            each
            for each in attachments.actions(props)
            if each.get("cookie") == press.cookie
        )
        action = next(found, None)
        if whisper is None or action is None:
            raise failed("err=cipher: message authentication failed")
        self.world.require_channel(user, whisper.channel_id, "read_channel")
        return _of_whisper(whisper, _with_integration(action))

    def _told(self, user: User, target: Target, trigger_id: str, option: str) -> Json:
        channel, action = self.world.channels[target.channel_id], target.action
        team = self.world.teams.get(channel.team_id)
        told: Json = {
            "user_id": user.id,
            "user_name": user.username,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "team_id": channel.team_id,
            "team_domain": team.name if team else "",
            "post_id": target.post_id,
            "trigger_id": trigger_id,
            "type": action.get("type", ""),
            "data_source": "",
        }
        context = dict(action["integration"].get("context") or {})
        if action.get("type") == "select" and option:
            told["data_source"] = action.get("data_source", "")
            context["selected_option"] = option
        return told | ({"context": context} if context else {})

    def _do(self, user: User, target: Target, answer: Json) -> None:
        if "update" in answer:
            self._update(target, answer["update"])
        text = answer.get("ephemeral_text", "")
        if not text:
            return
        if not answer.get("skip_slack_parsing"):
            text = slack.linked(text)
        draft = Draft(
            channel_id=target.channel_id,
            message=text,
            root_id=target.root_id,
            props=_retained(target.props),
        )
        self.posts.whisper(user, user.id, draft)

    def _update(self, target: Target, update: Json) -> None:
        """A message that it does not give is empty; props stay, if none are given."""
        post = self.world.live_post(target.post_id)
        props = target.props
        if "props" in update:
            others = {k: v for k, v in update["props"].items() if k not in _RETAINED}
            props = others | _retained(target.props)
        changes = {
            "message": update.get("message", ""),
            "props": props,
            "file_ids": [str(each) for each in update.get("file_ids", ())],
        }
        self.changes.edit(post, changes)


def _read(answer: bytes) -> Json:
    """Its content type does not matter; an empty one is an error."""
    try:
        told = gojson.read(answer, _ANSWER)
        if "update" in told:
            told["update"] = _fitting(told["update"])
    except NotJson as error:
        raise failed(f"err={error if answer else 'EOF'}") from error
    return told


def _fitting(update: Json) -> Json:
    kept: dict[str, Any] = {
        k: v for k, v in update.items() if k in _UPDATE and v is not None
    }
    for name, value in kept.items():
        if not isinstance(value, _UPDATE[name]):
            raise NotJson(f"json: cannot unmarshal into Go struct field Post.{name}")
    return kept


def _action(props: Json, action_id: str) -> Json:
    found = (each for each in attachments.actions(props) if each["id"] == action_id)
    return _with_integration(next(found, None))


def _with_integration(action: Json | None) -> Json:
    if action is None or not action.get("integration"):
        detail = f"action={'<nil>' if action is None else _as_go(action)}"
        raise Refusal("api.post.do_action.action_id.app_error", detail)
    return action


def _as_go(action: Json) -> str:
    """A struct as Go prints it."""
    names = ("id", "type", "name", "disabled", "style", "data_source")
    told = [str(action.get(name, "")) for name in names]
    told[3] = str(bool(action.get("disabled"))).lower()
    return f"&{{{' '.join(told)} [] {action.get('default_option', '')} <nil> }}"


def _retained(props: Json) -> Json:
    return {name: props[name] for name in _RETAINED if name in props}


def _of_whisper(whisper: Whisper, action: Json) -> Target:
    return Target(
        post_id=whisper.id,
        channel_id=whisper.channel_id,
        root_id=whisper.root_id or whisper.id,
        props=whisper.props,
        action=action,
    )
