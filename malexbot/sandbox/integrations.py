"""Slash commands, webhooks and what people are shown by them: the rows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from malexbot.sandbox.content import Post
from malexbot.sandbox.model import Json


def _plain(row: Any) -> Json:
    return {each.name: getattr(row, each.name) for each in fields(row)}


@dataclass(slots=True)
class Command:
    """A slash command of a team."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    team_id: str
    trigger: str
    url: str
    delete_at: int = 0
    method: str = "P"
    username: str = ""
    icon_url: str = ""
    auto_complete: bool = False
    auto_complete_desc: str = ""
    auto_complete_hint: str = ""
    display_name: str = ""
    description: str = ""
    plugin_id: str = ""

    def as_dict(self) -> Json:
        return _plain(self)

    def as_hint(self) -> Json:
        """What is shown to whoever types it: nothing of how it is called."""
        secret = ("token", "creator_id", "method", "url", "username", "icon_url")
        return self.as_dict() | dict.fromkeys(secret, "")


@dataclass(slots=True)
class ResponseUrl:
    """Where the answer to one slash command may follow, a few times."""

    id: str
    create_at: int
    command_id: str
    user_id: str
    channel_id: str
    root_id: str
    uses: int = 0


@dataclass(slots=True)
class IncomingHook:
    """Whoever knows its id may post by it."""

    id: str
    create_at: int
    update_at: int
    user_id: str
    channel_id: str
    team_id: str
    delete_at: int = 0
    display_name: str = ""
    description: str = ""
    username: str = ""
    icon_url: str = ""
    channel_locked: bool = False

    def as_dict(self) -> Json:
        return _plain(self)


@dataclass(slots=True)
class OutgoingHook:
    """It tells of posts in public channels that begin with one of its words."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    team_id: str
    delete_at: int = 0
    channel_id: str = ""
    trigger_words: list[str] = field(default_factory=list)
    # 0: the first word is one of them; 1: it begins with one.
    trigger_when: int = 0
    callback_urls: list[str] = field(default_factory=list)
    display_name: str = ""
    description: str = ""
    content_type: str = ""
    username: str = ""
    icon_url: str = ""

    def as_dict(self) -> Json:
        return _plain(self)


@dataclass(slots=True)
class Whisper:
    """An ephemeral post: shown to one person, and kept so that its buttons work."""

    id: str
    create_at: int
    # Who sees it.
    to_id: str
    user_id: str
    channel_id: str
    root_id: str
    message: str
    props: Json

    @classmethod
    def of(cls, post: Post, to_id: str) -> Whisper:
        return cls(
            id=post.id,
            create_at=post.create_at,
            to_id=to_id,
            user_id=post.user_id,
            channel_id=post.channel_id,
            root_id=post.root_id,
            message=post.message,
            props=post.props,
        )


@dataclass(slots=True)
class Dialog:
    """A form that was opened before a person."""

    id: str
    create_at: int
    user_id: str
    trigger_id: str
    url: str
    dialog: Json
