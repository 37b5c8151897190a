"""Teams, channels and who is in them, with the events and messages that this makes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.events import Event, as_text
from malexbot.sandbox.model import Channel, Json, Member, Team, TeamMember, User
from malexbot.sandbox.posts import Posts
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World

# Each team has these, and whoever joins the team is in them.
_DEFAULT_CHANNELS = (("town-square", "Town Square"), ("off-topic", "Off-Topic"))
_CHANGES = (
    ("display_name", "displayname", "channel display name"),
    ("header", "header", "channel header"),
    ("purpose", "purpose", "channel purpose"),
)


@dataclass(frozen=True)
class Rooms:
    """Where people talk."""

    world: World
    posts: Posts

    # Teams.

    def create_team(
        self, creator: User, name: str, display_name: str = "", type: str = "O"
    ) -> Team:
        now = self.world.now_ms()
        team = self.world.teams.put(
            Team(
                id=new_id(),
                create_at=now,
                update_at=now,
                name=name,
                display_name=display_name or name,
                invite_id=new_id(),
                type=type,
                email=creator.email,
            )
        )
        for channel_name, channel_title in _DEFAULT_CHANNELS:
            self._put_channel(team.id, "O", channel_name, channel_title, "")
        self.join_team(team, creator, is_admin=True)
        return team

    def join_team(
        self, team: Team, user: User, *, is_admin: bool = False
    ) -> TeamMember:
        """The event comes twice, as it does from a real server."""
        found = self.world.team_member(team.id, user.id)
        if found is not None:
            return found
        member = self.world.team_members.put(
            TeamMember(f"{team.id}:{user.id}", team.id, user.id, is_admin)
        )
        for channel in self._default_channels(team):
            self._put_member(channel, user)
        data: Json = {"team_id": team.id, "user_id": user.id}
        for _ in range(2):
            self.world.publish(Event("added_to_team", data, user_id=user.id))
        return member

    def leave_team(self, team: Team, user: User) -> None:
        data: Json = {"team_id": team.id, "user_id": user.id}
        self.world.publish(Event("leave_team", data, team_id=team.id))
        for channel_id in list(self.world.index.user_channels.get(user.id, {})):
            if self.world.channels[channel_id].team_id == team.id:
                self._drop_member(channel_id, user.id)
        self.world.team_members.drop(f"{team.id}:{user.id}")

    # Channels.

    def create_channel(
        self,
        creator: User,
        team_id: str,
        name: str,
        display_name: str = "",
        type: str = "O",
    ) -> Json:
        """The channel as it is before its creator's join message counts."""
        if self.channel_by_name(team_id, name) is not None:
            raise Refusal("store.sql_channel.save_channel.exists.app_error")
        channel = self._put_channel(
            team_id, type, name, display_name or name, creator.id
        )
        answer = channel.as_dict()
        self._put_member(channel, creator, is_admin=True)
        self._say_joined(channel, creator)
        data: Json = {"channel_id": channel.id, "team_id": team_id}
        self.world.publish(Event("channel_created", data, user_id=creator.id))
        return answer

    def direct(self, creator: User, other: User) -> Channel:
        """Told only when it is new."""
        name = "__".join(sorted((creator.id, other.id)))
        channel = self.channel_by_name("", name)
        if channel is not None:
            return channel
        channel = self._put_channel("", "D", name, "", creator.id)
        for user in {creator.id: creator, other.id: other}.values():
            self._put_member(channel, user)
        data: Json = {"creator_id": creator.id, "teammate_id": other.id}
        self.world.publish(Event("direct_added", data, channel_id=channel.id))
        return channel

    def group(self, users: list[User]) -> Channel:
        ids = sorted({user.id for user in users})
        name = hashlib.sha1("".join(ids).encode()).hexdigest()
        channel = self.channel_by_name("", name)
        if channel is not None:
            return channel
        title = ", ".join(sorted(user.username for user in users))
        channel = self._put_channel("", "G", name, title, "")
        for user in users:
            self._put_member(channel, user)
        data: Json = {"teammate_ids": as_text(ids)}
        self.world.publish(Event("group_added", data, channel_id=channel.id))
        return channel

    def change_channel(self, by: User, channel: Channel, changes: Json) -> Json:
        """Name, title, header and purpose; each change is also a system message.

        The answer is the channel as it is before those messages count.
        """
        old = {name: getattr(channel, name) for name, _, _ in _CHANGES}
        for name in ("name", *old):
            if changes.get(name) is not None:
                setattr(channel, name, changes[name])
        channel.update_at = self.world.now_ms()
        self.world.channels.put(channel)
        answer = channel.as_dict()
        data: Json = {"channel": as_text(answer)}
        self.world.publish(Event("channel_updated", data, channel_id=channel.id))
        for name, kind, title in _CHANGES:
            new = getattr(channel, name)
            if new != old[name]:
                self._say_changed(by, channel, kind, title, old[name], new)
        return answer

    def archive(self, by: User, channel: Channel) -> None:
        message = f"{by.username} archived the channel."
        props: Json = {"username": by.username}
        self.posts.say(by, channel, message, "system_channel_deleted", props)
        channel.delete_at = channel.update_at = self.world.now_ms()
        self.world.channels.put(channel)
        data: Json = {"channel_id": channel.id, "delete_at": channel.delete_at}
        self.world.publish(Event("channel_deleted", data, team_id=channel.team_id))

    def restore(self, by: User, channel: Channel) -> Channel:
        channel.delete_at = 0
        channel.update_at = self.world.now_ms()
        self.world.channels.put(channel)
        data: Json = {"channel_id": channel.id}
        self.world.publish(Event("channel_restored", data, team_id=channel.team_id))
        message = f"{by.username} unarchived the channel."
        props: Json = {"username": by.username}
        self.posts.say(by, channel, message, "system_channel_restored", props)
        return channel

    def channel_by_name(self, team_id: str, name: str) -> Channel | None:
        found = (
            channel
            for channel in self.world.channels
            if channel.name == name and channel.team_id == team_id
        )
        return next(found, None)

    # Memberships.

    def join(self, by: User, channel: Channel, user: User) -> Member:
        """Come in by oneself, or be added by somebody else."""
        found = self.world.member(channel.id, user.id)
        if found is not None:
            return found
        member = self._put_member(channel, user)
        data: Json = {"team_id": channel.team_id, "user_id": user.id}
        self.world.publish(Event("user_added", data, channel_id=channel.id))
        if by.id == user.id:
            self._say_joined(channel, user)
            return member
        self.posts.say(
            by,
            channel,
            f"{user.username} added to the channel by {by.username}.",
            "system_add_to_channel",
            {
                "addedUserId": user.id,
                "addedUsername": user.username,
                "userId": by.id,
                "username": by.username,
            },
        )
        return member

    def leave(self, by: User, channel: Channel, user: User) -> None:
        """Those who stay and the one who goes are told in two different shapes."""
        self._drop_member(channel.id, user.id)
        stay: Json = {"remover_id": by.id, "user_id": user.id}
        self.world.publish(Event("user_removed", stay, channel_id=channel.id))
        gone: Json = {"channel_id": channel.id, "remover_id": by.id}
        self.world.publish(Event("user_removed", gone, user_id=user.id))
        if by.id == user.id:
            message = f"@{user.username} left the channel."
            props: Json = {"username": user.username}
            self.posts.say(user, channel, message, "system_leave_channel", props)
            return
        message = f"@{user.username} removed from the channel."
        props = {"removedUserId": user.id, "removedUsername": user.username}
        self.posts.say(by, channel, message, "system_remove_from_channel", props)

    def view_channel(self, user: User, channel: Channel) -> int:
        """The user has read it all; his other clients are told."""
        member = self.world.member(channel.id, user.id)
        if member is None:
            return 0
        member.last_viewed_at = channel.last_post_at
        member.last_update_at = self.world.now_ms()
        member.msg_count = channel.total_msg_count
        member.msg_count_root = channel.total_msg_count_root
        self.world.members.put(member)
        data: Json = {"channel_id": channel.id}
        self.world.publish(Event("channel_viewed", data, user_id=user.id))
        return member.last_viewed_at

    def typing(self, user: User, channel_id: str, parent_id: str) -> None:
        data: Json = {"parent_id": parent_id, "user_id": user.id}
        self.world.publish(
            Event("typing", data, channel_id=channel_id, omit_users=(user.id,))
        )

    def _say_joined(self, channel: Channel, user: User) -> None:
        message = f"{user.username} joined the channel."
        props: Json = {"username": user.username}
        self.posts.say(user, channel, message, "system_join_channel", props)

    def _say_changed(
        self, by: User, channel: Channel, kind: str, title: str, old: str, new: str
    ) -> None:
        if not new:
            message = f"{by.username} removed the {title} (was: {old})"
        elif not old:
            message = f"{by.username} updated the {title} to: {new}"
        else:
            message = f"{by.username} updated the {title} from: {old} to: {new}"
        props: Json = {"username": by.username}
        props |= {f"old_{kind}": old, f"new_{kind}": new}
        self.posts.say(by, channel, message, f"system_{kind}_change", props)

    def _default_channels(self, team: Team) -> list[Channel]:
        names = [name for name, _ in _DEFAULT_CHANNELS]
        found = [self.channel_by_name(team.id, name) for name in names]
        return [channel for channel in found if channel is not None]

    def _put_channel(
        self, team_id: str, type: str, name: str, display_name: str, creator_id: str
    ) -> Channel:
        now = self.world.now_ms()
        return self.world.channels.put(
            Channel(
                id=new_id(),
                create_at=now,
                update_at=now,
                team_id=team_id,
                type=type,
                display_name=display_name,
                name=name,
                creator_id=creator_id,
            )
        )

    def _put_member(
        self, channel: Channel, user: User, *, is_admin: bool = False
    ) -> Member:
        id = f"{channel.id}:{user.id}"
        member = Member(id, channel.id, user.id, self.world.now_ms(), is_admin)
        self.world.index.add_member(member)
        return self.world.members.put(member)

    def _drop_member(self, channel_id: str, user_id: str) -> None:
        self.world.index.drop_member(channel_id, user_id)
        self.world.members.drop(f"{channel_id}:{user_id}")
