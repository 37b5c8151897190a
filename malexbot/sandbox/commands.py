"""Slash commands: which there are, and what happens when one is typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from malexbot.sandbox import answers
from malexbot.sandbox.answers import Answers, Place
from malexbot.sandbox.clock import is_id, new_id
from malexbot.sandbox.gojson import NotJson
from malexbot.sandbox.integrations import Command, ResponseUrl
from malexbot.sandbox.model import Channel, Json, User
from malexbot.sandbox.outgoing import FORM, NoAnswer, Outgoing, Reply
from malexbot.sandbox.refusals import Refusal, not_allowed
from malexbot.sandbox.triggers import Triggers
from malexbot.sandbox.world import World

_EXECUTE = "api.command.execute_command"
_MENTION = re.compile(r"(?<!\w)@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<!\w)~([a-z0-9][a-z0-9_-]*)")
_TEXTS = (
    *("trigger", "url", "method", "username", "icon_url", "auto_complete_desc"),
    *("auto_complete_hint", "display_name", "description"),
)
_WHY = {
    "not_found": 'not found. To send a message beginning with "/", try adding an empty'
    " space at the beginning of the message.",
    "failed": "failed.",
    "failed_resp": "returned response {status}.",
}
_TRIGGER_LENGTH = range(1, 129)


@dataclass(frozen=True)
class Typed:
    """What somebody typed, and where; the team only matters in a direct channel."""

    text: str
    channel_id: str
    team_id: str = ""
    root_id: str = ""


@dataclass(frozen=True)
class Called:
    """A command with what its integration is told, and by what to answer."""

    command: Command
    fields: list[tuple[str, str]]
    client_id: str
    place: Place


@dataclass(frozen=True)
class Commands:
    """Keeps and runs them."""

    world: World
    outgoing: Outgoing
    answers: Answers
    triggers: Triggers

    # Which there are.

    def of_team(self, team_id: str) -> list[Command]:
        return [each for each in self.world.commands if each.team_id == team_id]

    def create(self, creator: User, team_id: str, given: Json) -> Command:
        now = self.world.now_ms()
        command = Command(
            id=new_id(),
            token=new_id(),
            create_at=now,
            update_at=now,
            creator_id=creator.id,
            team_id=team_id,
            **_settings(given),
        )
        _require_sound(command)
        if self._find(team_id, command.trigger) is not None:
            raise Refusal("api.command.duplicate_trigger.app_error")
        return self.world.commands.put(command)

    def change(self, command: Command, given: Json) -> Command:
        """All of it but its token; a trigger may even be another one's, then."""
        for name, value in _settings(given).items():
            setattr(command, name, value)
        _require_sound(command)
        command.update_at = self.world.now_ms()
        return self.world.commands.put(command)

    def regenerate(self, command: Command) -> Command:
        """With a new token; the old one is worth nothing any more."""
        command.token = new_id()
        return self.world.commands.put(command)

    # What happens when one is typed.

    def execute(self, user: User, typed: Typed, site: str) -> Json:
        """Its answer, with all posts made; `site` is the server's address."""
        with self.world.lock:
            called = self._called(user, typed, site)
        answer = self._answer(called)
        with self.world.lock:
            self.answers.say(called.command, called.place, answer)
        return answers.shown(answer, called.client_id)

    def answer_late(self, response_id: str, answer: Json) -> None:
        """By a response_url."""
        row = self.world.response_urls.get(response_id)
        settings = self.world.settings
        oldest = self.world.now_ms() - settings.response_url_s * 1000
        if row is None or row.create_at <= oldest:
            detail = f"resource: CommandWebhook id: {response_id}"
            raise Refusal("app.command_webhook.get.missing", detail)
        command = self.world.commands.get(row.command_id)
        if command is None:
            raise Refusal("web.command_webhook.command.app_error")
        if row.uses >= settings.response_url_uses:
            detail = (
                f"invalid input: entity: CommandWebhook field: id value: {response_id}"
            )
            raise Refusal("app.command_webhook.try_use.invalid", detail)
        row.uses += 1
        self.world.response_urls.put(row)
        place = Place(self.world.user(row.user_id), row.channel_id, row.root_id)
        self.answers.say(command, place, answer)

    def _called(self, user: User, typed: Typed, site: str) -> Called:
        if not typed.text.startswith("/") or len(typed.text) < 2:
            raise Refusal(f"{_EXECUTE}.start.app_error")
        if not is_id(typed.channel_id):
            raise Refusal(f"{_EXECUTE}.start.app_error")
        self.world.require_channel(user, typed.channel_id, "use_slash_commands")
        channel = self.world.channel(typed.channel_id)
        team_id = channel.team_id or typed.team_id
        if self.world.team_member(team_id, user.id) is None and not user.is_admin:
            raise not_allowed(user.id, "use_slash_commands")
        words = re.split(r"\s", typed.text, maxsplit=1)
        trigger, text = words[0][1:].lower(), "".join(words[1:])
        command = self._find(team_id, trigger)
        if command is None:
            raise _failure(trigger, "not_found", 404)
        place = Place(user, channel.id, typed.root_id)
        client_id, trigger_id = self.triggers.make(user.id)
        fields = self._fields(command, channel, place, text)
        fields += [
            ("trigger_id", trigger_id),
            (
                "response_url",
                f"{site}/hooks/commands/{self._response_id(command, place)}",
            ),
        ]
        fields.sort(key=lambda field: field[0])
        return Called(command, fields, client_id, place)

    def _fields(
        self, command: Command, channel: Channel, place: Place, text: str
    ) -> list[tuple[str, str]]:
        team = self.world.teams[command.team_id]
        return [
            ("token", command.token),
            ("team_id", team.id),
            ("team_domain", team.name),
            ("channel_id", channel.id),
            ("channel_name", channel.name),
            ("user_id", place.user.id),
            ("user_name", place.user.username),
            ("command", f"/{command.trigger}"),
            ("text", text),
            *self._thread(place),
            *self._mentions(team.id, text),
        ]

    def _thread(self, place: Place) -> Iterable[tuple[str, str]]:
        if self.world.settings.tells_root_id and place.root_id:
            yield "root_id", place.root_id

    def _mentions(self, team_id: str, text: str) -> Iterable[tuple[str, str]]:
        """People of the team, and its public channels."""
        for name in dict.fromkeys(_MENTION.findall(text)):
            user = self.world.user_by_name(name.rstrip(".-_"))
            if user is not None and self.world.team_member(team_id, user.id):
                yield "user_mentions", user.username
                yield "user_mentions_ids", user.id
        for name in dict.fromkeys(_CHANNEL.findall(text)):
            for channel in self.world.channels:
                place = (channel.team_id, channel.type, channel.name)
                if place == (team_id, "O", name):
                    yield "channel_mentions", name
                    yield "channel_mentions_ids", channel.id

    def _response_id(self, command: Command, place: Place) -> str:
        row = ResponseUrl(
            id=new_id(),
            create_at=self.world.now_ms(),
            command_id=command.id,
            user_id=place.user.id,
            channel_id=place.channel_id,
            root_id=place.root_id,
        )
        return self.world.response_urls.put(row).id

    def _answer(self, called: Called) -> Json:
        command = called.command
        try:
            reply = self._reply(command, urlencode(called.fields))
        except NoAnswer as error:
            raise _failure(command.trigger, "failed", 500, str(error)) from error
        if reply.status != 200:
            status = f"{reply.status} {reply.reason}"
            told = reply.body.decode(errors="replace")
            raise _failure(command.trigger, "failed_resp", 500, told, status)
        try:
            return answers.read(reply.content_type, reply.body)
        except NotJson as error:
            told = error.humanized
            raise _failure(command.trigger, "failed", 500, told) from error

    def _reply(self, command: Command, form: str) -> Reply:
        if command.method != "G":
            told = form.encode()
            return self.outgoing.ask(command.url, told, FORM, token=command.token)
        joint = "&" if "?" in command.url else "?"
        url = f"{command.url}{joint}{form}"
        return self.outgoing.ask(url, None, token=command.token)

    def _find(self, team_id: str, trigger: str) -> Command | None:
        found = (each for each in self.of_team(team_id) if each.trigger == trigger)
        return next(found, None)


def _settings(given: Json) -> Json:
    """What its owner may say of it."""
    texts = {name: str(given[name]) for name in _TEXTS if given.get(name) is not None}
    texts["trigger"] = texts.get("trigger", "").lower()
    texts.setdefault("url", "")
    return texts | {"auto_complete": bool(given.get("auto_complete"))}


def _require_sound(command: Command) -> None:
    is_word = not command.trigger.startswith("/") and " " not in command.trigger
    if not is_word or len(command.trigger) not in _TRIGGER_LENGTH:
        raise Refusal("model.command.is_valid.trigger.app_error")
    if command.method not in ("P", "G"):
        raise Refusal("model.command.is_valid.method.app_error")
    if not command.url.startswith(("http://", "https://")):
        raise Refusal("model.command.is_valid.url_http.app_error")


def _failure(
    trigger: str, what: str, status: int, detail: str = "", told: str = ""
) -> Refusal:
    why = _WHY[what].format(status=told)
    message = "Command with a trigger of '%s' %s" % (trigger, why)
    refusal_id = f"{_EXECUTE}.{what}.app_error"
    return Refusal(refusal_id, detail, message=message, status=status)
