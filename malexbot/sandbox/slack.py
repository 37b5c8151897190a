"""How Slack's way to write links, people and calls to all is read."""

from __future__ import annotations

import re
from typing import Any

from malexbot.sandbox.model import Json
from malexbot.sandbox.world import World

_LINK = re.compile(r"<([^<|]+)\|([^>]+)>")
_CALL = re.compile(r"<!(channel|here|all)>")
_USER = re.compile(r"<@(\w+)>")
_WORDED = ("text", "pretext", "title")


def linked(text: str) -> str:
    """`<url|text>` as Markdown has it."""
    return _LINK.sub(r"[\2](\1)", text)


def read(world: World, text: str) -> str:
    """All three of them."""
    text = _CALL.sub(lambda call: f"@{call[1]}", text)
    return linked(_USER.sub(lambda user: _name(world, user), text))


def read_attachments(world: World, given: list[Any]) -> list[Any]:
    """The same within attachments; fields of numbers become texts."""
    return [
        _attachment(world, each) if isinstance(each, dict) else each for each in given
    ]


def _attachment(world: World, given: Json) -> Json:
    texts = {
        name: read(world, given[name])
        for name in _WORDED
        if isinstance(given.get(name), str)
    }
    made = given | texts
    if isinstance(given.get("fields"), list):
        fields = [each for each in given["fields"] if isinstance(each, dict)]
        made["fields"] = [
            {
                "title": str(each.get("title") or ""),
                "value": read(world, str(each.get("value", ""))),
                "short": bool(each.get("short")),
            }
            for each in fields
        ]
    return made


def _name(world: World, found: re.Match[str]) -> str:
    user = world.users.get(found[1])
    return f"@{user.username}" if user else found[0]
