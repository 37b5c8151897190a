"""How a post looks to a client."""

from __future__ import annotations

import re
from dataclasses import dataclass

from malexbot.sandbox import attachments
from malexbot.sandbox.content import Post
from malexbot.sandbox.model import Json
from malexbot.sandbox.world import World

_LINK = re.compile(r"https?://\S+/pl/([a-z0-9]{26})\b")


@dataclass(frozen=True)
class View:
    """Reads the world; changes nothing."""

    world: World

    def post(
        self,
        post: Post,
        pending_post_id: str = "",
        *,
        counts_replies: bool = True,
        previews: bool = True,
    ) -> Json:
        """Of deleted posts and old versions the text is not shown."""
        shown: Json = {
            "id": post.id,
            "create_at": post.create_at,
            "update_at": post.update_at,
            "edit_at": post.edit_at,
            "delete_at": post.delete_at,
            "is_pinned": post.is_pinned,
            "user_id": post.user_id,
            "channel_id": post.channel_id,
            "root_id": post.root_id,
            "parent_id": post.root_id,
            "original_id": post.original_id,
            "message": post.message if post.is_live else "",
            "type": post.type,
            "props": attachments.shown(post.props),
            "hashtags": post.hashtags,
        }
        if post.file_ids and post.is_live:
            shown["file_ids"] = post.file_ids
        shown["pending_post_id"] = pending_post_id
        if post.has_reactions:
            shown["has_reactions"] = True
        replies = self.reply_count(post) if counts_replies else 0
        shown |= {"reply_count": replies, "last_reply_at": 0, "participants": None}
        shown["metadata"] = self._metadata(post, previews) if post.is_live else {}
        return shown

    def reply_count(self, post: Post) -> int:
        """The live replies of the thread that the post is in."""
        replies = self.world.index.replies.get(post.root_id or post.id)
        if not replies:
            return 0
        return sum(self.world.posts[reply_id].is_live for reply_id in replies)

    def reactions(self, post: Post) -> list[Json]:
        found = self.world.index.reactions.get(post.id, {})
        return [self.world.reactions[id].as_dict() for id in found]

    def _metadata(self, post: Post, previews: bool) -> Json:
        metadata: Json = {}
        if post.props.get("attachments"):
            metadata["embeds"] = [{"type": "message_attachment"}]
        elif previews and (linked := self._linked(post)):
            preview = {"type": "permalink", "data": self._preview(linked)}
            metadata["embeds"] = [preview]
        if post.file_ids:
            files = [self.world.files[file_id].as_dict() for file_id in post.file_ids]
            metadata["files"] = files
        if post.has_reactions:
            metadata["reactions"] = self.reactions(post)
        return metadata

    def _linked(self, post: Post) -> Post | None:
        """The post that the first link in it leads to, on a server with previews."""
        found = self.world.settings.has_previews and _LINK.search(post.message)
        linked = self.world.posts.get(found[1]) if found else None
        return linked if linked and linked.is_live else None

    def _preview(self, post: Post) -> Json:
        """A post as another one shows it; what it links to itself is not shown."""
        channel = self.world.channels[post.channel_id]
        team = self.world.teams.get(channel.team_id)
        return {
            "post_id": post.id,
            "post": self.post(post, previews=False),
            "team_name": team.name if team else "",
            "channel_display_name": channel.display_name,
            "channel_type": channel.type,
            "channel_id": channel.id,
        }
