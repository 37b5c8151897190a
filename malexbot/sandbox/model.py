"""People, teams and channels: the rows, each with its shape on the wire."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

Json = dict[str, Any]

_NOTIFY_USER = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "email": "true",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "away",
}
_NOTIFY_MEMBER = {
    "desktop": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "mark_unread": "all",
    "push": "default",
}
_TIMEZONE = {
    "automaticTimezone": "",
    "manualTimezone": "",
    "useAutomaticTimezone": "true",
}


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: str
    create_at: int
    update_at: int
    username: str
    email: str = ""
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""
    position: str = ""
    roles: str = "system_user"
    delete_at: int = 0
    password: str = ""
    is_bot: bool = False
    bot_description: str = ""
    owner_id: str = ""
    status: str = "offline"
    locale: str = "en"

    @property
    def is_admin(self) -> bool:
        return "system_admin" in self.roles.split()

    def as_dict(self, *, is_private: bool = False) -> Json:
        """`is_private` adds what only the user and an admin may see."""
        shown: Json = {
            "id": self.id,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": self.delete_at,
            "username": self.username,
            "auth_data": "",
            "auth_service": "",
            "email": self.email,
            "nickname": self.nickname,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "position": self.position,
            "roles": self.roles,
        }
        if is_private:
            shown |= {
                "notify_props": _NOTIFY_USER,
                "last_password_update": self.create_at,
            }
        shown |= {"locale": self.locale, "timezone": _TIMEZONE}
        if self.is_bot:
            shown |= {"is_bot": True, "bot_description": self.bot_description}
        shown["disable_welcome_email"] = False
        return shown

    def as_bot(self) -> Json:
        return {
            "user_id": self.id,
            "username": self.username,
            "display_name": self.first_name,
            "description": self.bot_description,
            "owner_id": self.owner_id,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": self.delete_at,
        }


@dataclass(slots=True)
class Token:
    """A personal access token, or a session made by a login."""

    id: str
    token: str
    user_id: str
    description: str = ""
    is_active: bool = True

    def as_dict(self) -> Json:
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(slots=True)
class Team:
    id: str
    create_at: int
    update_at: int
    name: str
    display_name: str
    invite_id: str
    type: str = "O"
    email: str = ""
    delete_at: int = 0

    def as_dict(self, *, is_private: bool = False) -> Json:
        """The mail address of the team is shown to its admins only."""
        return {
            "id": self.id,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": self.delete_at,
            "display_name": self.display_name,
            "name": self.name,
            "description": "",
            "email": self.email if is_private else "",
            "type": self.type,
            "company_name": "",
            "allowed_domains": "",
            "invite_id": self.invite_id,
            "allow_open_invite": False,
            "scheme_id": None,
            "group_constrained": None,
            "policy_id": None,
        }


@dataclass(slots=True)
class TeamMember:
    id: str
    team_id: str
    user_id: str
    is_admin: bool = False

    def as_dict(self) -> Json:
        return {
            "team_id": self.team_id,
            "user_id": self.user_id,
            "roles": "team_user team_admin" if self.is_admin else "team_user",
            "delete_at": 0,
            "scheme_guest": False,
            "scheme_user": True,
            "scheme_admin": self.is_admin,
            "explicit_roles": "",
        }


@dataclass(slots=True)
class Channel:
    id: str
    create_at: int
    update_at: int
    team_id: str
    type: str
    display_name: str
    name: str
    header: str = ""
    purpose: str = ""
    delete_at: int = 0
    last_post_at: int = 0
    total_msg_count: int = 0
    total_msg_count_root: int = 0
    creator_id: str = ""

    def as_dict(self) -> Json:
        return {
            "id": self.id,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": self.delete_at,
            "team_id": self.team_id,
            "type": self.type,
            "display_name": self.display_name,
            "name": self.name,
            "header": self.header,
            "purpose": self.purpose,
            "last_post_at": self.last_post_at,
            "total_msg_count": self.total_msg_count,
            "extra_update_at": 0,
            "creator_id": self.creator_id,
            "scheme_id": None,
            "props": None,
            "group_constrained": None,
            "shared": False if self.type == "D" else None,
            "total_msg_count_root": self.total_msg_count_root,
            "policy_id": None,
        }


@dataclass(slots=True)
class Member:
    """A user in a channel."""

    id: str
    channel_id: str
    user_id: str
    last_update_at: int
    is_admin: bool = False
    last_viewed_at: int = 0
    msg_count: int = 0
    msg_count_root: int = 0
    mention_count: int = 0
    mention_count_root: int = 0

    def as_dict(self) -> Json:
        roles = "channel_user channel_admin" if self.is_admin else "channel_user"
        return {
            "channel_id": self.channel_id,
            "user_id": self.user_id,
            "roles": roles,
            "last_viewed_at": self.last_viewed_at,
            "msg_count": self.msg_count,
            "mention_count": self.mention_count,
            "mention_count_root": self.mention_count_root,
            "msg_count_root": self.msg_count_root,
            "notify_props": _NOTIFY_MEMBER,
            "last_update_at": self.last_update_at,
            "scheme_guest": False,
            "scheme_user": True,
            "scheme_admin": self.is_admin,
            "explicit_roles": "",
        }
