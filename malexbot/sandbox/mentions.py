"""What the server reads in a message: hashtags, and who is mentioned."""

from __future__ import annotations

import re

from malexbot.sandbox.content import Post
from malexbot.sandbox.model import Channel
from malexbot.sandbox.world import World

_HASHTAG = re.compile(r"(?<![\w#])#[^\W\d_][\w\-.]{1,}\w", re.UNICODE)
_MENTION = re.compile(r"(?<![\w@])@([\w.\-]+)", re.UNICODE)
_EVERYBODY = {"channel", "all"}


def hashtags(message: str) -> str:
    return " ".join(_HASHTAG.findall(message)) if "#" in message else ""


def mentioned(world: World, channel: Channel, post: Post) -> list[str]:
    """The ids of the members whom a post calls, its author left out.

    A webhook's post in a direct channel calls even him in whose name it is.
    """
    members = world.index.channel_users.get(channel.id, {})
    if channel.type == "D":
        found = set(members)
    elif "@" in post.message:
        found = _called(world, members, post.message)
    else:
        found = set()
    if post.type == "system_add_to_channel":
        found.add(post.props["addedUserId"])
    if channel.type != "D" or post.props.get("from_webhook") != "true":
        found.discard(post.user_id)
    return sorted(found)


def _called(world: World, members: dict[str, None], message: str) -> set[str]:
    names = {name.rstrip(".-_").lower() for name in _MENTION.findall(message)}
    if names & _EVERYBODY:
        return set(members)
    found = set()
    if "here" in names:
        found = {id for id in members if world.users[id].status == "online"}
    for name in names:
        user = world.user_by_name(name)
        if user is not None and user.id in members:
            found.add(user.id)
    return found
