"""What is said: posts, reactions and files as rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from malexbot.sandbox.model import Json


@dataclass(slots=True)
class Post:
    """A post, or with an `original_id` the old version of one."""

    id: str
    create_at: int
    update_at: int
    user_id: str
    channel_id: str
    message: str
    edit_at: int = 0
    delete_at: int = 0
    is_pinned: bool = False
    root_id: str = ""
    original_id: str = ""
    type: str = ""
    props: Json = field(default_factory=dict)
    hashtags: str = ""
    file_ids: list[str] = field(default_factory=list)
    has_reactions: bool = False

    @property
    def is_live(self) -> bool:
        """No: deleted, or only an old version."""
        return not self.delete_at


@dataclass(slots=True)
class Reaction:
    id: str
    user_id: str
    post_id: str
    emoji_name: str
    create_at: int
    update_at: int

    def as_dict(self) -> Json:
        return {
            "user_id": self.user_id,
            "post_id": self.post_id,
            "emoji_name": self.emoji_name,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": 0,
            "remote_id": "",
        }


@dataclass(slots=True)
class File:
    """What was uploaded; the bytes travel in the state as base 64."""

    id: str
    user_id: str
    create_at: int
    name: str
    extension: str
    size: int
    mime_type: str
    content: str
    post_id: str = ""
    width: int = 0
    height: int = 0
    is_lost: bool = False

    def as_dict(self) -> Json:
        shown: Json = {"id": self.id, "user_id": self.user_id}
        if self.post_id:
            shown["post_id"] = self.post_id
        shown |= {
            "channel_id": "",
            "create_at": self.create_at,
            "update_at": self.create_at,
            "delete_at": 0,
            "name": self.name,
            "extension": self.extension,
            "size": self.size,
            "mime_type": self.mime_type,
        }
        if self.width:
            shown |= {
                "width": self.width,
                "height": self.height,
                "has_preview_image": True,
            }
        return shown | {"mini_preview": None, "remote_id": ""}
