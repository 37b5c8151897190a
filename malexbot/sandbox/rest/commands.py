"""Slash commands: made, listed, typed; and the doors by which their answers follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from malexbot.sandbox import answers
from malexbot.sandbox.call import OK, Call, Result, Route, created
from malexbot.sandbox.commands import Commands, Typed
from malexbot.sandbox.gojson import NotJson
from malexbot.sandbox.integrations import Command
from malexbot.sandbox.refusals import Refusal, bad_body
from malexbot.sandbox.rest.hooks import HOOKS, heard
from malexbot.sandbox.world import World

_MANAGE = "manage_slash_commands"


@dataclass(frozen=True)
class CommandRoutes:
    world: World
    commands: Commands

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/commands", self.create)
        yield Route("GET", "/commands", self.list)
        yield Route("POST", "/commands/execute", self.execute, is_locked=False)
        one = "/commands/{command_id}"
        yield Route("GET", one, self.get)
        yield Route("PUT", one, self.change)
        yield Route("DELETE", one, self.delete)
        yield Route("PUT", one + "/regen_token", self.regenerate)
        yield Route("GET", "/teams/{team_id}/commands/autocomplete", self.hints)
        late = "/commands/{response_id}"
        yield Route("POST", late, self.answer_late, base=HOOKS, is_public=True)

    def create(self, call: Call) -> Result:
        body = call.json("command")
        team_id = str(body.get("team_id", ""))
        self.world.require_manager(call.user, team_id, _MANAGE)
        return created(self.commands.create(call.user, team_id, body).as_dict())

    def list(self, call: Call) -> Result:
        """Those who may not manage them are shown what the hints show."""
        team_id = call.query.get("team_id", "")
        if not self.world.may_manage(call.user, team_id):
            if call.query.get("custom_only") == "true":
                self.world.require_manager(call.user, team_id, _MANAGE)
            return self._hints(call, team_id)
        return [each.as_dict() for each in self.commands.of_team(team_id)]

    def get(self, call: Call) -> Result:
        return self._command(call).as_dict()

    def change(self, call: Call) -> Result:
        body = call.json("command")
        if body.get("id") != call["command_id"]:
            raise bad_body("command")
        command = self._command(call)
        if body.get("team_id", command.team_id) != command.team_id:
            raise Refusal("api.command.team_mismatch.app_error")
        return self.commands.change(command, body).as_dict()

    def delete(self, call: Call) -> Result:
        self.world.commands.drop(self._command(call).id)
        return OK

    def regenerate(self, call: Call) -> Result:
        return {"token": self.commands.regenerate(self._command(call)).token}

    def hints(self, call: Call) -> Result:
        return self._hints(call, call["team_id"])

    def execute(self, call: Call) -> Result:
        body = call.json("command_args")
        typed = Typed(
            text=str(body.get("command", "")),
            channel_id=str(body.get("channel_id", "")),
            team_id=str(body.get("team_id", "")),
            root_id=str(body.get("root_id") or ""),
        )
        return self.commands.execute(call.user, typed, call.request.site)

    def answer_late(self, call: Call) -> Result:
        kind = call.request.headers.get("content-type", "")
        try:
            answer = answers.read(kind, call.request.body)
        except NotJson as error:
            refusal_id = "web.command_webhook.parse.app_error"
            raise Refusal(refusal_id, error.humanized) from error
        self.commands.answer_late(call.params["response_id"], answer)
        return heard()

    def _hints(self, call: Call, team_id: str) -> Result:
        if self.world.team_member(team_id, call.user.id) is None:
            self.world.require_admin(call.user, "view_team")
        known = self.commands.of_team(team_id)
        return [each.as_hint() for each in known if each.auto_complete]

    def _command(self, call: Call) -> Command:
        """Of those that one may not manage it is not said that they are there."""
        command = self.world.commands.get(call["command_id"])
        if command is None or not self.world.may_manage(call.user, command.team_id):
            raise Refusal("store.sql_command.save.get.app_error")
        return command
