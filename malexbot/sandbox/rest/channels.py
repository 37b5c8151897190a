"""Channels and who is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from malexbot.sandbox.call import OK, Call, Result, Route, created
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.model import Channel, User
from malexbot.sandbox.pages import Pages
from malexbot.sandbox.refusals import Refusal, bad_body, not_allowed
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Channels:
    world: World
    rooms: Rooms
    pages: Pages
    hub: Hub

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/channels", self.create)
        yield Route("POST", "/channels/direct", self.direct)
        yield Route("POST", "/channels/group", self.group)
        yield Route("GET", "/channels/{channel_id}", self.get)
        yield Route("PUT", "/channels/{channel_id}", self.patch)
        yield Route("PUT", "/channels/{channel_id}/patch", self.patch)
        yield Route("DELETE", "/channels/{channel_id}", self.archive)
        yield Route("POST", "/channels/{channel_id}/restore", self.restore)
        yield Route("GET", "/channels/{channel_id}/stats", self.stats)
        yield Route("GET", "/channels/{channel_id}/members", self.members)
        yield Route("POST", "/channels/{channel_id}/members", self.add_member)
        member = "/channels/{channel_id}/members/{user_id}"
        yield Route("GET", member, self.get_member)
        yield Route("DELETE", member, self.drop_member)
        yield Route("POST", "/channels/members/{user_id}/view", self.view)
        by_name = "/channels/name/{channel_name}"
        yield Route("GET", "/teams/{team_id}" + by_name, self.by_name)
        yield Route("GET", "/teams/name/{team_name}" + by_name, self.by_names)
        yield Route("GET", "/users/{user_id}/channels", self.all_of_user)
        of_team = "/users/{user_id}/teams/{team_id}/channels"
        yield Route("GET", of_team, self.of_user)
        yield Route("GET", of_team + "/members", self.members_of_user)
        yield Route("POST", "/users/{user_id}/typing", self.typing)

    # Channels.

    def create(self, call: Call) -> Result:
        body = call.json("channel")
        team_id = str(body.get("team_id", ""))
        if self.world.team_member(team_id, call.user.id) is None:
            self.world.require_admin(call.user, "create_public_channel")
        answer = self.rooms.create_channel(
            call.user,
            team_id,
            call.text("name", "channel"),
            body.get("display_name", ""),
            body.get("type", "O"),
        )
        return created(answer)

    def direct(self, call: Call) -> Result:
        ids = call.strings("user_ids")
        if len(ids) != 2:
            raise bad_body("user_ids")
        if call.user.id not in ids:
            self.world.require_admin(call.user, "manage_system")
        creator, other = map(self.world.user, ids)
        return created(self.rooms.direct(creator, other).as_dict())

    def group(self, call: Call) -> Result:
        ids = {*call.strings("user_ids"), call.user.id}
        users = [self.world.user(user_id) for user_id in sorted(ids)]
        return created(self.rooms.group(users).as_dict())

    def get(self, call: Call) -> Result:
        channel = self.world.channel(call["channel_id"])
        self._require_seen(call.user, channel)
        return channel.as_dict()

    def by_name(self, call: Call) -> Result:
        return self._named(call, call["team_id"])

    def by_names(self, call: Call) -> Result:
        name = call["team_name"]
        found = (team.id for team in self.world.teams if team.name == name)
        return self._named(call, next(found, ""))

    def patch(self, call: Call) -> Result:
        channel = self._of_member(call, "manage_public_channel_properties")
        return self.rooms.change_channel(call.user, channel, call.json("channel"))

    def archive(self, call: Call) -> Result:
        channel = self._of_member(call, "delete_public_channel")
        self.rooms.archive(call.user, channel)
        return OK

    def restore(self, call: Call) -> Result:
        channel = self._of_member(call, "manage_team")
        return self.rooms.restore(call.user, channel).as_dict()

    def stats(self, call: Call) -> Result:
        channel = self._of_member(call, "read_channel")
        return {
            "channel_id": channel.id,
            "member_count": len(self.world.members_of(channel.id)),
            "guest_count": 0,
            "pinnedpost_count": len(self.pages.pinned(channel.id)["order"]),
        }

    # Members.

    def members(self, call: Call) -> Result:
        channel = self._of_member(call, "read_channel")
        size = min(call.number("per_page", 60), 200)
        start = call.number("page", 0) * size
        found = self.world.members_of(channel.id)[start : start + size]
        return [member.as_dict() for member in found]

    def get_member(self, call: Call) -> Result:
        channel = self._of_member(call, "read_channel")
        member = self.world.member(channel.id, call["user_id"])
        if member is None:
            raise Refusal("app.channel.get_member.missing.app_error")
        return member.as_dict()

    def add_member(self, call: Call) -> Result:
        channel = self.world.channel(call["channel_id"])
        user = self.world.user(str(call.json("user").get("user_id", "")))
        joins_public = user.id == call.user.id and channel.type == "O"
        if joins_public:
            self._require_seen(call.user, channel)
        else:
            self._of_member(call, "manage_public_channel_members")
        self.hub.invalidate(user.id)
        return created(self.rooms.join(call.user, channel, user).as_dict())

    def drop_member(self, call: Call) -> Result:
        channel = self._of_member(call, "manage_public_channel_members")
        user = self.world.user(call["user_id"])
        if self.world.member(channel.id, user.id) is not None:
            self.rooms.leave(call.user, channel, user)
            self.hub.invalidate(user.id)
        return OK

    # Of a user.

    def all_of_user(self, call: Call) -> Result:
        """All teams' channels in one answer, from 6.1 on."""
        if not self.world.settings.has_users_me_channels:
            raise Refusal("api.context.404.app_error")
        return [channel.as_dict() for channel in self._of_user(call)]

    def of_user(self, call: Call) -> Result:
        return [channel.as_dict() for channel in self._of_user(call, call["team_id"])]

    def members_of_user(self, call: Call) -> Result:
        found = self._of_user(call, call["team_id"])
        members = (self.world.member(c.id, call["user_id"]) for c in found)
        return [member.as_dict() for member in members if member is not None]

    def view(self, call: Call) -> Result:
        channel = self.world.channel(str(call.json("view").get("channel_id", "")))
        user = self.world.user(call["user_id"])
        self.hub.note_activity(call.request.token)
        viewed_at = self.rooms.view_channel(user, channel)
        return OK | {"last_viewed_at_times": {channel.id: viewed_at}}

    def typing(self, call: Call) -> Result:
        body = call.json("typing")
        channel_id = str(body.get("channel_id", ""))
        self.world.require_channel(call.user, channel_id, "create_post")
        self.rooms.typing(call.user, channel_id, str(body.get("parent_id", "")))
        return OK

    def _of_user(self, call: Call, team_id: str | None = None) -> list[Channel]:
        """Live channels by their titles; direct and group ones belong to each team."""
        user_id = call["user_id"]
        ids = self.world.index.user_channels.get(user_id, {})
        found = [
            self.world.channels[id]
            for id in ids
            if team_id is None or self.world.channels[id].team_id in ("", team_id)
        ]
        live = [channel for channel in found if not channel.delete_at]
        return sorted(live, key=lambda channel: channel.display_name)

    def _named(self, call: Call, team_id: str) -> Result:
        name = call["channel_name"]
        channel = self.rooms.channel_by_name(team_id, name)
        if channel is None or channel.delete_at:
            detail = f"resource: Channel id: TeamId={team_id}&Name={name}"
            raise Refusal("app.channel.get_by_name.missing.app_error", detail)
        self._require_seen(call.user, channel)
        return channel.as_dict()

    def _of_member(self, call: Call, permission: str) -> Channel:
        channel = self.world.channel(call["channel_id"])
        self.world.require_channel(call.user, channel.id, permission)
        return channel

    def _require_seen(self, user: User, channel: Channel) -> None:
        if not self.world.may_see_channel(user, channel):
            raise not_allowed(user.id, "read_channel")
