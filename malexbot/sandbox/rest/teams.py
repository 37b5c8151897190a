"""Teams and who is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from malexbot.sandbox.call import OK, Call, Result, Route, created
from malexbot.sandbox.model import Team, User
from malexbot.sandbox.refusals import Refusal, not_allowed
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Teams:
    world: World
    rooms: Rooms

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/teams", self.create)
        yield Route("GET", "/teams/name/{name}", self.by_name)
        yield Route("GET", "/teams/{team_id}", self.get)
        yield Route("GET", "/teams/{team_id}/channels", self.public_channels)
        yield Route("POST", "/teams/{team_id}/members", self.add_member)
        yield Route("GET", "/teams/{team_id}/members/{user_id}", self.get_member)
        yield Route("DELETE", "/teams/{team_id}/members/{user_id}", self.drop_member)
        yield Route("GET", "/users/{user_id}/teams", self.of_user)

    def create(self, call: Call) -> Result:
        body = call.json("team")
        team = self.rooms.create_team(
            call.user,
            call.text("name", "team"),
            body.get("display_name", ""),
            body.get("type", "O"),
        )
        return created(team.as_dict(is_private=True))

    def get(self, call: Call) -> Result:
        team = self.world.teams.get(call["team_id"])
        if team is None:
            raise Refusal("app.team.get.find.app_error")
        return self._seen(call.user, team).as_dict()

    def by_name(self, call: Call) -> Result:
        name = call["name"]
        found = (team for team in self.world.teams if team.name == name)
        team = next(found, None)
        if team is None:
            raise Refusal("app.team.get_by_name.missing.app_error")
        return self._seen(call.user, team).as_dict()

    def public_channels(self, call: Call) -> Result:
        team = self._team(call)
        found = [
            channel
            for channel in self.world.channels
            if channel.team_id == team.id and channel.type == "O"
        ]
        shown = [channel for channel in found if not channel.delete_at]
        shown.sort(key=lambda channel: channel.display_name)
        return [channel.as_dict() for channel in shown]

    def of_user(self, call: Call) -> Result:
        user_id = call["user_id"]
        if user_id != call.user.id:
            self.world.require_admin(call.user, "edit_other_users")
        return [
            self.world.teams[member.team_id].as_dict()
            for member in self.world.team_members
            if member.user_id == user_id
        ]

    def add_member(self, call: Call) -> Result:
        team = self._team(call)
        user = self.world.user(str(call.json("team_member").get("user_id", "")))
        return created(self.rooms.join_team(team, user).as_dict())

    def get_member(self, call: Call) -> Result:
        member = self.world.team_member(self._team(call).id, call["user_id"])
        if member is None:
            raise Refusal("app.team.get_by_name.missing.app_error")
        return member.as_dict()

    def drop_member(self, call: Call) -> Result:
        user = self.world.user(call["user_id"])
        if user.id != call.user.id:
            self.world.require_admin(call.user, "remove_user_from_team")
        self.rooms.leave_team(self._team(call), user)
        return OK

    def _team(self, call: Call) -> Team:
        team = self.world.teams.get(call["team_id"])
        if team is None:
            raise not_allowed(call.user.id, "view_team")
        return self._seen(call.user, team)

    def _seen(self, user: User, team: Team) -> Team:
        is_in = self.world.team_member(team.id, user.id) is not None
        if not is_in and not user.is_admin:
            raise not_allowed(user.id, "view_team")
        return team
