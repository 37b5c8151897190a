"""What a slash command answers, at once or by its response_url, becomes posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from malexbot.sandbox import attachments, gojson, slack
from malexbot.sandbox.gojson import NotJson
from malexbot.sandbox.integrations import Command
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World

_JSON = "application/json"
_EMPTY: Json = {
    "response_type": "",
    "text": "",
    "username": "",
    "channel_id": "",
    "icon_url": "",
    "type": "",
    "props": None,
    "goto_location": "",
    "trigger_id": "",
    "skip_slack_parsing": False,
    "attachments": None,
    "extra_responses": None,
}
_KINDS = {"props": dict, "attachments": list, "extra_responses": list}
_SHAPE = {name: _KINDS.get(name, type(empty)) for name, empty in _EMPTY.items()}


@dataclass(frozen=True)
class Place:
    """Who typed a command, and where."""

    user: User
    channel_id: str
    root_id: str = ""


def read(content_type: str, body: bytes) -> Json:
    """A whole answer; what is not JSON by its content type is a text. Or NotJson."""
    if content_type.partition(";")[0].strip() != _JSON:
        return _EMPTY | {"text": body.decode(errors="replace")}
    answer = _EMPTY | gojson.read(body, _SHAPE)
    extra = answer["extra_responses"]
    if extra is not None:
        known = [each for each in extra if isinstance(each, dict)]
        answer["extra_responses"] = [_whole(each) for each in known]
    return answer


def shown(answer: Json, client_id: str) -> Json:
    """The answer as the one who typed the command is told it."""
    bare = attachments.shown({"attachments": answer["attachments"]})
    return answer | bare | {"trigger_id": client_id}


@dataclass(frozen=True)
class Answers:
    """Makes the posts, under the world's lock."""

    world: World
    posts: Posts

    def say(self, command: Command, place: Place, answer: Json) -> None:
        """The answer and the further ones; all are tried, then a failure is told."""
        failure: Refusal | None = None
        for each in (answer, *(answer["extra_responses"] or ())):
            try:
                self._say(command, place, each)
            except Refusal as refusal:
                failure = refusal
        if failure is not None:
            raise Refusal(
                "api.command.execute_command.create_post_failed.app_error",
                str(failure),
                message="Command '%s' failed to post response. "
                "Please contact your System Administrator." % command.trigger,
                status=500,
            )

    def _say(self, command: Command, place: Place, answer: Json) -> None:
        self._read_as_slack(answer)
        draft = self._draft(command, place, answer)
        kind = answer["response_type"]
        if kind == "in_channel":
            self.posts.create(place.user, draft)
            return
        is_something = answer["text"] or answer["attachments"] is not None
        if kind in ("", "ephemeral") and is_something:
            self.posts.whisper(place.user, place.user.id, draft)

    def _read_as_slack(self, answer: Json) -> None:
        """As the person's client is told it, too."""
        given: list[Any] | None = answer["attachments"]
        if not answer["skip_slack_parsing"]:
            answer["text"] = slack.read(self.world, answer["text"])
            given = given and slack.read_attachments(self.world, given)
        answer["attachments"] = given and attachments.whole(given)

    def _draft(self, command: Command, place: Place, answer: Json) -> Draft:
        elsewhere: str = answer["channel_id"]
        if elsewhere and self.world.member(elsewhere, place.user.id) is None:
            raise Refusal("api.command.command_post.forbidden.app_error")
        props = dict(answer["props"] or {})
        name = command.username or answer["username"]
        if name:
            props["override_username"] = name
        props["override_icon_url"] = command.icon_url or answer["icon_url"]
        props["from_webhook"] = "true"
        kind = answer["type"]
        if answer["attachments"] is not None:
            props["attachments"] = answer["attachments"]
            kind = kind or "slack_attachment"
        return Draft(
            channel_id=elsewhere or place.channel_id,
            message=answer["text"],
            root_id=place.root_id,
            type=kind,
            props=props,
        )


def _whole(given: Json) -> Json:
    known = {k: v for k, v in given.items() if k in _SHAPE and v is not None}
    for name, value in known.items():
        if not isinstance(value, _SHAPE[name]):
            raise NotJson(f"json: cannot unmarshal into Go struct field .{name}")
    return _EMPTY | known | {"extra_responses": None}
