"""What a test, a demo or a load makes happen: people come, talk, edit, leave."""

from __future__ import annotations

from dataclasses import dataclass, replace

from malexbot.sandbox.changes import Changes
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.model import Json
from malexbot.sandbox.people import People
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.uploads import save
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Scene:
    """Ids and plain values in and out, so that the same calls work from outside."""

    world: World
    people: People
    rooms: Rooms
    posts: Posts
    changes: Changes
    hub: Hub

    # Who and where.

    def add_user(
        self, username: str, *, password: str = "", is_admin: bool = False
    ) -> str:
        with self.world.lock:
            user = self.people.create_user(
                username, password=password, is_admin=is_admin
            )
            return user.id

    def add_bot(self, username: str, *, display_name: str = "") -> str:
        with self.world.lock:
            return self.people.create_bot(username, display_name=display_name).id

    def add_token(self, user_id: str, description: str = "test") -> str:
        """The token itself, as it goes into a config."""
        with self.world.lock:
            user = self.world.user(user_id)
            return self.people.create_token(user, description).token

    def revoke_token(self, token: str) -> None:
        """A socket that is open goes on; its next request gets a 401."""
        with self.world.lock:
            self.people.revoke_token(self.world.index.token_ids[token])

    def disable(self, user_id: str) -> None:
        """Of a bot or a user; an open socket falls silent."""
        self._switch(user_id, True)

    def enable(self, user_id: str) -> None:
        self._switch(user_id, False)

    def rename_user(self, user_id: str, username: str) -> None:
        with self.world.lock:
            self.people.rename(self.world.user(user_id), username)

    def set_locale(self, user_id: str, locale: str) -> None:
        """The language he wants to be told in: `en`, `ru`, …"""
        with self.world.lock:
            self.people.change_user(self.world.user(user_id), {"locale": locale})

    def set_status(self, user_id: str, status: str) -> None:
        with self.world.lock:
            self.people.set_status(self.world.user(user_id), status)

    def add_team(self, name: str, creator_id: str) -> str:
        with self.world.lock:
            return self.rooms.create_team(self.world.user(creator_id), name).id

    def join_team(self, team_id: str, user_id: str) -> None:
        with self.world.lock:
            team, user = self.world.teams[team_id], self.world.user(user_id)
            self.rooms.join_team(team, user)

    def add_channel(
        self,
        team_id: str,
        name: str,
        creator_id: str,
        *,
        display_name: str = "",
        type: str = "O",
    ) -> str:
        with self.world.lock:
            creator = self.world.user(creator_id)
            channel = self.rooms.create_channel(
                creator, team_id, name, display_name, type
            )
            return str(channel["id"])

    def direct(self, user_id: str, other_id: str) -> str:
        with self.world.lock:
            creator, other = self.world.user(user_id), self.world.user(other_id)
            return self.rooms.direct(creator, other).id

    def group(self, user_ids: list[str]) -> str:
        with self.world.lock:
            return self.rooms.group([self.world.user(id) for id in user_ids]).id

    def join(self, channel_id: str, user_id: str, *, by: str = "") -> None:
        """By oneself, or added by somebody."""
        with self.world.lock:
            user = self.world.user(user_id)
            adder = self.world.user(by) if by else user
            self.rooms.join(adder, self.world.channel(channel_id), user)
            self.hub.invalidate(user_id)

    def leave(self, channel_id: str, user_id: str, *, by: str = "") -> None:
        """By oneself, or removed by somebody."""
        with self.world.lock:
            user = self.world.user(user_id)
            remover = self.world.user(by) if by else user
            self.rooms.leave(remover, self.world.channel(channel_id), user)
            self.hub.invalidate(user_id)

    def change_channel(self, channel_id: str, by: str, changes: Json) -> None:
        """`name`, `display_name`, `header`, `purpose`."""
        with self.world.lock:
            channel = self.world.channel(channel_id)
            self.rooms.change_channel(self.world.user(by), channel, changes)

    def archive_channel(self, channel_id: str, by: str) -> None:
        with self.world.lock:
            channel = self.world.channel(channel_id)
            self.rooms.archive(self.world.user(by), channel)

    def restore_channel(self, channel_id: str, by: str) -> None:
        with self.world.lock:
            channel = self.world.channel(channel_id)
            self.rooms.restore(self.world.user(by), channel)

    # What is said.

    def post(
        self,
        channel_id: str,
        user_id: str,
        message: str,
        *,
        root_id: str = "",
        props: Json | None = None,
        file_ids: tuple[str, ...] = (),
        create_at: int = 0,
    ) -> str:
        """`create_at` in the past makes a late commit: it appears among older posts."""
        draft = Draft(
            channel_id=channel_id,
            message=message,
            root_id=root_id,
            props=props or {},
            file_ids=tuple(file_ids),
            create_at=create_at,
        )
        with self.world.lock:
            return str(self.posts.create(self.world.user(user_id), draft)["id"])

    def upload(self, user_id: str, name: str, text: str) -> str:
        """A file for a post of theirs, by its id."""
        with self.world.lock:
            return save(self.world, user_id, name, text.encode()).id

    def lose_file(self, file_id: str) -> None:
        """The server finds it no more; its post still tells of it."""
        with self.world.lock:
            self.world.files.put(replace(self.world.files[file_id], is_lost=True))

    def post_many(
        self,
        channel_id: str,
        user_id: str,
        messages: list[str],
        *,
        create_at: int = 0,
        is_told: bool = True,
    ) -> list[str]:
        """At once; `create_at`: all in that one millisecond; untold: no events."""
        drafts = [
            Draft(channel_id=channel_id, message=message, create_at=create_at)
            for message in messages
        ]
        with self.world.lock:
            user = self.world.user(user_id)
            made = [self.posts.create(user, draft, is_told=is_told) for draft in drafts]
        return [str(post["id"]) for post in made]

    def edit(self, post_id: str, message: str) -> None:
        with self.world.lock:
            self.changes.edit(self.world.live_post(post_id), {"message": message})

    def pin(self, post_id: str, is_pinned: bool = True) -> None:
        with self.world.lock:
            self.changes.edit(self.world.live_post(post_id), {"is_pinned": is_pinned})

    def delete(self, post_id: str, *, by: str = "") -> None:
        with self.world.lock:
            post = self.world.live_post(post_id)
            self.changes.delete(post, self.world.user(by or post.user_id))

    def erase(self, post_id: str) -> None:
        """A hard deletion, as retention does it: the row is gone, nobody is told."""
        with self.world.lock:
            self.changes.erase(self.world.posts[post_id])

    def react(self, post_id: str, user_id: str, emoji: str) -> None:
        with self.world.lock:
            user, post = self.world.user(user_id), self.world.live_post(post_id)
            self.changes.react(user, post, emoji)

    def unreact(self, post_id: str, user_id: str, emoji: str) -> None:
        with self.world.lock:
            user, post = self.world.user(user_id), self.world.live_post(post_id)
            self.changes.unreact(user, post, emoji)

    def typing(self, channel_id: str, user_id: str, *, root_id: str = "") -> None:
        with self.world.lock:
            self.rooms.typing(self.world.user(user_id), channel_id, root_id)

    # How it looks.

    def channel(self, channel_id: str) -> Json:
        with self.world.lock:
            return self.world.channel(channel_id).as_dict()

    def reactions(self, user_id: str) -> list[Json]:
        """All that he reacted to and did not take back."""
        with self.world.lock:
            rows = list(self.world.reactions)
        return [row.as_dict() for row in rows if row.user_id == user_id]

    def _switch(self, user_id: str, disabled: bool) -> None:
        with self.world.lock:
            self.people.set_disabled(self.world.user(user_id), disabled)
            self.hub.invalidate(user_id)
