"""All that the server knows: tables, the indexes over them, and who may do what."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable
from pathlib import Path
from typing import Any

from malexbot.sandbox import refusals, tables
from malexbot.sandbox.clock import Clock, new_id
from malexbot.sandbox.content import File, Post, Reaction
from malexbot.sandbox.events import Event
from malexbot.sandbox.integrations import (
    Command,
    Dialog,
    IncomingHook,
    OutgoingHook,
    ResponseUrl,
    Whisper,
)
from malexbot.sandbox.ledger import Ledger
from malexbot.sandbox.model import Channel, Member, Team, TeamMember, Token, User
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.tables import Journal, Table


class World:
    """Pure state under one lock: every public call of the sandbox holds `lock`."""

    def __init__(self, settings: Settings, state: Path | None = None) -> None:
        self.settings = settings
        self.clock = Clock()
        self.telemetry_id = new_id()
        self.lock = threading.RLock()
        self.publish: Callable[[Event], None] = lambda event: None
        self.tell_hooks: Callable[[Post], None] = lambda post: None
        self.users = Table("users", User)
        self.tokens = Table("tokens", Token)
        self.teams = Table("teams", Team)
        self.team_members = Table("team_members", TeamMember)
        self.channels = Table("channels", Channel)
        self.members = Table("members", Member)
        self.posts = Table("posts", Post)
        self.reactions = Table("reactions", Reaction)
        self.files = Table("files", File)
        self.commands = Table("commands", Command)
        self.response_urls = Table("response_urls", ResponseUrl)
        self.incoming_hooks = Table("incoming_hooks", IncomingHook)
        self.outgoing_hooks = Table("outgoing_hooks", OutgoingHook)
        self.whispers = Table("whispers", Whisper)
        self.dialogs = Table("dialogs", Dialog)
        self.ledger = Ledger(self.lock)
        self.index = Index()
        self._journal: Journal | None = None
        if state is not None:
            self._restore(state)

    @property
    def tables(self) -> list[Table[Any]]:
        return [
            self.users,
            self.tokens,
            self.teams,
            self.team_members,
            self.channels,
            self.members,
            self.posts,
            self.reactions,
            self.files,
            self.commands,
            self.response_urls,
            self.incoming_hooks,
            self.outgoing_hooks,
            self.whispers,
            self.dialogs,
            self.ledger.table,
        ]

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
            for table in self.tables:
                table.journal = None

    def now_ms(self) -> int:
        return self.clock.now_ms()

    # What is found, or refused.

    def user(self, user_id: str) -> User:
        user = self.users.get(user_id)
        if user is None:
            detail = f"resource: User id: {user_id}"
            raise refusals.Refusal("app.user.missing_account.const", detail)
        return user

    def channel(self, channel_id: str) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None:
            detail = f"resource: Channel id: {channel_id}"
            raise refusals.Refusal("app.channel.get.existing.app_error", detail)
        return channel

    def live_post(self, post_id: str) -> Post:
        """The post, unless it was deleted."""
        post = self.posts.get(post_id)
        if post is None or not post.is_live:
            detail = f"resource: Post id: {post_id}"
            raise refusals.Refusal("app.post.get.app_error", detail)
        return post

    def user_of_token(self, token: str) -> User | None:
        """None: an unknown or revoked token, or its user is disabled."""
        row = self.tokens.get(self.index.token_ids.get(token, ""))
        if row is None or not row.is_active:
            return None
        user = self.users.get(row.user_id)
        return None if user is None or user.delete_at else user

    def user_by_name(self, username: str) -> User | None:
        return self.users.get(self.index.user_ids.get(username.lower(), ""))

    def member(self, channel_id: str, user_id: str) -> Member | None:
        return self.members.get(f"{channel_id}:{user_id}")

    def members_of(self, channel_id: str) -> list[Member]:
        found = self.index.channel_users.get(channel_id, {})
        return [self.members[f"{channel_id}:{user_id}"] for user_id in found]

    def team_member(self, team_id: str, user_id: str) -> TeamMember | None:
        return self.team_members.get(f"{team_id}:{user_id}")

    def put_post(self, post: Post) -> Post:
        self.index.touch(post)
        return self.posts.put(post)

    # Who may do what.

    def may_in_channel(self, user: User, channel_id: str) -> bool:
        """Yes: read its posts and write into it."""
        return user.is_admin or self.member(channel_id, user.id) is not None

    def require_channel(self, user: User, channel_id: str, permission: str) -> None:
        if not self.may_in_channel(user, channel_id):
            raise refusals.not_allowed(user.id, permission)

    def may_see_channel(self, user: User, channel: Channel) -> bool:
        """Yes: its name and header, which a public channel shows to its team."""
        if self.may_in_channel(user, channel.id):
            return True
        in_team = self.team_member(channel.team_id, user.id) is not None
        return channel.type == "O" and in_team

    def require_admin(self, user: User, permission: str) -> None:
        if not user.is_admin:
            raise refusals.not_allowed(user.id, permission)

    def may_manage(self, user: User, team_id: str) -> bool:
        """Yes: he makes commands and webhooks of that team."""
        member = self.team_member(team_id, user.id)
        return user.is_admin or (member is not None and member.is_admin)

    def require_manager(self, user: User, team_id: str, permission: str) -> None:
        if not self.may_manage(user, team_id):
            raise refusals.not_allowed(user.id, permission)

    # Coming back.

    def _restore(self, path: Path) -> None:
        by_name = {table.name: table for table in self.tables}
        for name, change in tables.read(path):
            by_name[name].load(change)
        self._journal = Journal(path)
        for table in self.tables:
            table.journal = self._journal
        self._index_all()
        self.ledger.take_up(self.posts)

    def _index_all(self) -> None:
        for user in self.users:
            self.index.user_ids[user.username.lower()] = user.id
        for token in self.tokens:
            self.index.token_ids[token.token] = token.id
        for member in self.members:
            self.index.add_member(member)
        for post in self.posts:
            self.index.add_post(post)
            self.index.touch(post)
        for reaction in self.reactions:
            self.index.reactions.setdefault(reaction.post_id, {})[reaction.id] = None


class Index:
    """What would be slow to look for in the tables."""

    def __init__(self) -> None:
        self.user_ids: dict[str, str] = {}
        self.token_ids: dict[str, str] = {}
        self.channel_users: dict[str, dict[str, None]] = {}
        self.user_channels: dict[str, dict[str, None]] = {}
        # The live posts of a channel: (create_at, id), in order.
        self.timelines: dict[str, list[tuple[int, str]]] = {}
        # All rows of a channel, old versions and deleted ones too, as they came.
        self.rows: dict[str, dict[str, None]] = {}
        self.replies: dict[str, list[str]] = {}
        # The newest update_at of a channel's posts.
        self.changed_at: dict[str, int] = {}
        self.reactions: dict[str, dict[str, None]] = {}

    def add_member(self, member: Member) -> None:
        self.channel_users.setdefault(member.channel_id, {})[member.user_id] = None
        self.user_channels.setdefault(member.user_id, {})[member.channel_id] = None

    def drop_member(self, channel_id: str, user_id: str) -> None:
        self.channel_users.get(channel_id, {}).pop(user_id, None)
        self.user_channels.get(user_id, {}).pop(channel_id, None)

    def touch(self, post: Post) -> None:
        changed_at = self.changed_at.get(post.channel_id, 0)
        self.changed_at[post.channel_id] = max(changed_at, post.update_at)

    def add_post(self, post: Post) -> None:
        self.rows.setdefault(post.channel_id, {})[post.id] = None
        if post.root_id and not post.original_id:
            self.replies.setdefault(post.root_id, []).append(post.id)
        if post.is_live:
            timeline = self.timelines.setdefault(post.channel_id, [])
            insort(timeline, (post.create_at, post.id))

    def hide_post(self, post: Post) -> None:
        """It was deleted: pages do not show it any more."""
        timeline = self.timelines.get(post.channel_id, [])
        at = bisect_left(timeline, (post.create_at, post.id))
        if at < len(timeline) and timeline[at][1] == post.id:
            del timeline[at]

    def forget_post(self, post: Post) -> None:
        """It never was: a hard deletion."""
        self.hide_post(post)
        self.rows.get(post.channel_id, {}).pop(post.id, None)
        self.reactions.pop(post.id, None)
        if post.root_id in self.replies:
            replies = self.replies[post.root_id]
            self.replies[post.root_id] = [id for id in replies if id != post.id]
