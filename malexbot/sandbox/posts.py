"""How a post comes to be: the checks, the row, the event."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import orjson

from malexbot.sandbox import attachments, mentions
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.content import Post
from malexbot.sandbox.events import Event, as_text
from malexbot.sandbox.integrations import Whisper
from malexbot.sandbox.model import Channel, Json, User
from malexbot.sandbox.refusals import Refusal, bad_param
from malexbot.sandbox.view import View
from malexbot.sandbox.world import World

# Measured: these do not count in total_msg_count (system_leave_channel does).
_UNCOUNTED = frozenset(
    {
        "system_join_channel",
        "system_add_to_channel",
        "system_remove_from_channel",
        "system_join_team",
        "system_leave_team",
    }
)
_TYPES = frozenset({"", "slack_attachment", "me"})


@dataclass(frozen=True)
class Draft:
    """What a client asks to be posted."""

    channel_id: str
    message: str = ""
    root_id: str = ""
    type: str = ""
    props: Json = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    pending_post_id: str = ""
    # Honoured for admins and for late commits.
    create_at: int = 0

    def checked(self) -> Draft:
        """Itself, if a client gave every field its type; else TypeError."""
        texts = (self.channel_id, self.message, self.root_id, self.type)
        if not all(isinstance(text, str) for text in texts + self.file_ids):
            raise TypeError("not a text")
        if not isinstance(self.props, dict) or not isinstance(
            self.pending_post_id, str
        ):
            raise TypeError("not a post")
        return self


@dataclass(frozen=True)
class Posts:
    """Makes posts and tells the sockets."""

    world: World
    view: View
    # Pending post id → (monotonic time, post id or "" while it is being saved).
    _pending: dict[str, tuple[float, str]] = field(default_factory=dict)

    def check_place(self, draft: Draft) -> Channel:
        """Where it may go: the channel, unless it or the kind of post is refused."""
        channel = self.world.channels.get(draft.channel_id)
        if channel is None:
            raise bad_param("post.channel_id")
        if draft.type.startswith("system_"):
            raise bad_param("post.type")
        if channel.delete_at:
            raise Refusal("api.post.create_post.can_not_post_to_deleted.error")
        return channel

    def claim(self, pending_post_id: str) -> Json | None:
        """Start to save under this id; what was saved under it before is the answer.

        Refused while another request with the same id is still being saved.
        """
        if not pending_post_id:
            return None
        at, post_id = self._pending.get(pending_post_id, (0.0, ""))
        if not at or time.monotonic() - at > self.world.settings.dedupe_s:
            self._pending[pending_post_id] = (time.monotonic(), "")
            return None
        if not post_id:
            raise Refusal("api.post.deduplicate_create_post.pending")
        shown = self.view.post(self.world.live_post(post_id))
        del shown["metadata"]
        return shown

    def abandon(self, pending_post_id: str) -> None:
        """What was claimed is not saved after all."""
        self._pending.pop(pending_post_id, None)

    def create(
        self, user: User, draft: Draft, *, is_told: bool = True, triggers: bool = True
    ) -> Json:
        """The answer to the client; the rules are checked in the server's order.

        `triggers`: outgoing webhooks are told too.
        """
        channel = self.check_place(draft)
        self._check_root(draft)
        post = self._new(user, draft)
        self.check(post)
        post.file_ids = self._attach(post)
        self._insert(post, channel, draft.pending_post_id)
        if draft.pending_post_id:
            self._pending[draft.pending_post_id] = (time.monotonic(), post.id)
        shown = self.view.post(post, draft.pending_post_id)
        if is_told:
            self.world.publish(self._event(shown, post, channel))
        if is_told and triggers:
            self.world.tell_hooks(post)
        return shown

    def prepare(self, user: User, draft: Draft) -> Event:
        """Save the post, and tell it by this event at another time."""
        shown = self.create(user, draft, is_told=False)
        channel = self.world.channels[draft.channel_id]
        return self._event(shown, self.world.posts[shown["id"]], channel)

    def say(
        self, user: User, channel: Channel, message: str, type: str, props: Json
    ) -> Post:
        """A system message."""
        if user.is_bot:
            props = props | {"from_bot": "true"}
        now = self.world.now_ms()
        post = Post(
            id=new_id(),
            create_at=now,
            update_at=now,
            user_id=user.id,
            channel_id=channel.id,
            message=message,
            type=type,
            props=dict(sorted(props.items())),
        )
        self._insert(post, channel, "")
        self.world.publish(self._event(self.view.post(post), post, channel))
        return post

    def whisper(self, by: User, to_id: str, draft: Draft) -> Json:
        """An ephemeral post: only an event, though its buttons work."""
        props = attachments.with_cookies(attachments.dressed(draft.props))
        post = Post(
            id=new_id(),
            create_at=self.world.now_ms(),
            update_at=0,
            user_id=by.id,
            channel_id=draft.channel_id,
            root_id=draft.root_id,
            message=draft.message,
            type="system_ephemeral",
            props=props,
        )
        self.world.whispers.put(Whisper.of(post, to_id))
        shown = self.view.post(post, counts_replies=False) | {"parent_id": ""}
        data: Json = {"post": as_text(shown)}
        self.world.publish(
            Event("ephemeral_message", data, user_id=to_id, channel_id=post.channel_id)
        )
        return shown

    def _event(self, shown: Json, post: Post, channel: Channel) -> Event:
        """The event `posted`."""
        data: Json = {
            "channel_display_name": channel.display_name,
            "channel_name": channel.name,
            "channel_type": channel.type,
        }
        sender = "@" + self.world.users[post.user_id].username
        if post.type.startswith("system_"):
            sender = "System"
        if channel.type == "D":
            data["channel_display_name"] = sender
        elif post.props.get("from_webhook") == "true":
            sender = str(post.props.get("override_username", sender))
        files = shown["metadata"].get("files", ())
        if any(file.get("width") for file in files):
            data["image"] = "true"
        called = mentions.mentioned(self.world, channel, post)
        if called:
            data["mentions"] = as_text(called)
        if files:
            data["otherFile"] = "true"
        data |= {
            "post": as_text(shown),
            "sender_name": sender,
            "set_online": True,
            "team_id": channel.team_id,
        }
        return Event("posted", data, channel_id=channel.id)

    def _new(self, user: User, draft: Draft) -> Post:
        at = draft.create_at or self.world.now_ms()
        props = draft.props | {"from_bot": "true"} if user.is_bot else draft.props
        return Post(
            id=new_id(),
            create_at=at,
            update_at=at,
            user_id=user.id,
            channel_id=draft.channel_id,
            message=draft.message,
            root_id=draft.root_id,
            type=draft.type,
            props=attachments.dressed(props),
            hashtags=mentions.hashtags(draft.message),
            file_ids=list(draft.file_ids),
        )

    def _insert(self, post: Post, channel: Channel, pending_post_id: str) -> None:
        self.world.put_post(post)
        self.world.index.add_post(post)
        self.world.ledger.posted(post, pending_post_id)
        channel.last_post_at = max(channel.last_post_at, post.create_at)
        if post.type not in _UNCOUNTED:
            channel.total_msg_count += 1
            channel.total_msg_count_root += not post.root_id
        self.world.channels.put(channel)
        self.touch_root(post, post.create_at)

    def touch_root(self, post: Post, at: int) -> None:
        root = self.world.posts.get(post.root_id)
        if root is not None and root.update_at < at:
            root.update_at = at
            self.world.put_post(root)

    def _check_root(self, draft: Draft) -> None:
        if not draft.root_id:
            return
        root = self.world.posts.get(draft.root_id)
        if root is None or not root.is_live:
            raise Refusal("api.post.create_post.root_id.app_error")
        if root.channel_id != draft.channel_id:
            raise Refusal("api.post.create_post.channel_root_id.app_error")
        if root.root_id:
            raise Refusal("api.post.create_post.root_id.app_error")

    def check(self, post: Post) -> None:
        """The limits, in the order in which the server looks at them."""
        settings = self.world.settings
        detail = f"id={post.id}"
        if len(post.message) > settings.max_post_runes:
            raise Refusal("model.post.is_valid.msg.app_error", detail)
        if post.type not in _TYPES and not post.type.startswith(("custom_", "system_")):
            raise Refusal("model.post.is_valid.type.app_error", f"id={post.type}")
        if (
            post.file_ids
            and len(orjson.dumps(post.file_ids)) > settings.max_file_ids_runes
        ):
            raise Refusal("model.post.is_valid.file_ids.app_error", detail)
        if post.props and len(as_text(post.props)) > settings.max_props_runes:
            raise Refusal("model.post.is_valid.props.app_error", detail)
        if "\0" in post.message:
            raise Refusal(
                "app.post.save.app_error",
                "failed to save Post: pq: invalid byte sequence for encoding "
                '"UTF8": 0x00',
            )

    def _attach(self, post: Post) -> list[str]:
        """Unknown files, and those of another post, are dropped without a word."""
        kept = []
        for file_id in post.file_ids:
            file = self.world.files.get(file_id)
            if file is not None and not file.post_id and file.user_id == post.user_id:
                file.post_id = post.id
                self.world.files.put(file)
                kept.append(file_id)
        return kept
