"""What happens to a post later: edited, pinned, reacted to, deleted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from malexbot.sandbox import attachments, mentions
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.content import Post, Reaction
from malexbot.sandbox.events import Event, as_text
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.posts import Posts
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Changes:
    """Changes posts and tells the sockets."""

    world: World
    posts: Posts

    def edit(self, post: Post, changes: Json) -> Json:
        """Only what is named changes; the old version stays as a row of its own."""
        if post.type.startswith("system_"):
            raise Refusal("api.post.update_post.system_message.app_error")
        new = replace(post)
        now = self.world.now_ms()
        message = changes.get("message")
        if message is not None and message != post.message:
            new.message, new.edit_at = message, now
            new.hashtags = mentions.hashtags(message)
        if changes.get("props") is not None:
            new.props = attachments.dressed(changes["props"])
        for name in ("is_pinned", "file_ids"):
            if changes.get(name) is not None:
                setattr(new, name, changes[name])
        self.posts.check(new)
        new.update_at = now
        self._keep_version(post, now)
        return self._changed(new)

    def _keep_version(self, post: Post, now: int) -> None:
        old = replace(
            post, id=new_id(), original_id=post.id, delete_at=now, update_at=now
        )
        self.world.put_post(old)
        self.world.index.add_post(old)

    def _changed(self, post: Post) -> Json:
        self.world.put_post(post)
        self.world.ledger.edited(post)
        channel = self.world.channels[post.channel_id]
        channel.last_post_at = max(channel.last_post_at, post.update_at)
        self.world.channels.put(channel)
        self.posts.touch_root(post, post.update_at)
        shown = self.posts.view.post(post)
        self._publish("post_edited", post, shown)
        return shown

    def delete(self, post: Post, by: User) -> None:
        """The replies of a root go with it; only the root is told."""
        now = self.world.now_ms()
        before = replace(post)
        replies = [
            self.world.posts[reply_id]
            for reply_id in self.world.index.replies.get(post.id, [])
        ]
        for gone in [post, *(reply for reply in replies if reply.is_live)]:
            gone.delete_at = gone.update_at = now
            gone.props = gone.props | {"deleteBy": by.id}
            self.world.put_post(gone)
            self.world.index.hide_post(gone)
            self.world.ledger.deleted(gone)
        self._publish("post_deleted", post, self.posts.view.post(before))

    def erase(self, post: Post) -> None:
        """Remove the row itself, its versions and its replies, and tell nobody."""
        versions = [
            row for row in self.world.posts if post.id in (row.original_id, row.root_id)
        ]
        for gone in [post, *versions]:
            self.world.posts.drop(gone.id)
            self.world.index.forget_post(gone)
            if gone.id in self.world.ledger.table:
                self.world.ledger.erased(gone.id)

    # Reactions.

    def react(self, user: User, post: Post, emoji: str) -> Reaction:
        now = self.world.now_ms()
        id = f"{user.id}:{post.id}:{emoji}"
        reaction = Reaction(id, user.id, post.id, emoji, now, now)
        self.world.reactions.put(reaction)
        self.world.index.reactions.setdefault(post.id, {})[id] = None
        self._mark_reactions(post)
        self._publish_reaction("reaction_added", post, reaction.as_dict())
        return reaction

    def unreact(self, user: User, post: Post, emoji: str) -> None:
        id = f"{user.id}:{post.id}:{emoji}"
        self.world.reactions.drop(id)
        self.world.index.reactions.get(post.id, {}).pop(id, None)
        self._mark_reactions(post)
        gone = Reaction(id, user.id, post.id, emoji, 0, post.update_at)
        self._publish_reaction("reaction_removed", post, gone.as_dict())

    def _mark_reactions(self, post: Post) -> None:
        post.has_reactions = bool(self.world.index.reactions.get(post.id))
        post.update_at = self.world.now_ms()
        self.world.put_post(post)

    def _publish_reaction(self, name: str, post: Post, reaction: Json) -> None:
        data: Json = {"reaction": as_text(reaction)}
        self.world.publish(Event(name, data, channel_id=post.channel_id))

    def _publish(self, name: str, post: Post, shown: Json) -> None:
        data: Json = {"post": as_text(shown)}
        self.world.publish(Event(name, data, channel_id=post.channel_id))
