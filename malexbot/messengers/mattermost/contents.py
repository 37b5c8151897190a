"""A post as Mattermost writes it, read into ours or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from malexbot.errors import MalexbotError
from malexbot.events import Post, texts

# The database counts to here; the server's own times end long before.
END_OF_TIME = 2**63
LONGEST_WORD = 200
# The ids of a post together; five of the server's own are 130 characters.
LONGEST_IDS = 500
_BOT_PROPS = ("from_bot", "from_webhook")


class Unreadable(MalexbotError):
    """What came in is no event; the message tells why."""


def read_post(row: Mapping[str, Any], raw: str) -> Post:
    """A post that the archive can keep as it stands.

    Raises `Unreadable`, or what a missing field or a wrong type raises by itself.
    """
    id_, channel_id, user_id = row["id"], row["channel_id"], row["user_id"]
    root_id, original_id = row.get("root_id", ""), row.get("original_id", "")
    kind, message = row.get("type", ""), row["message"]
    created, updated = row["create_at"], row.get("update_at", 0)
    edited, deleted = row.get("edit_at", 0), row.get("delete_at", 0)
    if not (id_ and channel_id):
        raise Unreadable("a post without id or channel")
    check_ids(id_ + channel_id + user_id + root_id + original_id)
    check_times(created, updated, edited, deleted)
    if type(message) is not str or type(kind) is not str:
        raise Unreadable("a post whose message or type is no text")
    check_word(kind)
    props, metadata = row.get("props"), row.get("metadata")
    fields = (
        id_,
        channel_id,
        user_id,
        root_id,
        original_id,
        kind,
        message,
        created,
        updated,
        edited,
        deleted,
        raw,
        tuple(texts(props, metadata)) if props or metadata else (),
        is_by_bot(props),
    )
    return tuple.__new__(Post, fields)


def check_ids(ids: str) -> None:
    """Ids, one or joined: of letters and digits only, short enough to fit anywhere."""
    if ids and not (len(ids) <= LONGEST_IDS and ids.isascii() and ids.isalnum()):
        raise Unreadable("an id that is none")


def check_word(word: str) -> None:
    """The name of a kind or an emoji: it may stand in an id or in a line."""
    if word and (
        len(word) > LONGEST_WORD
        or not word.isprintable()
        or ":" in word
        or "\\" in word
    ):
        raise Unreadable("a name that is none")


def check_times(*times: object) -> None:
    """Times in milliseconds, or other numbers that count something."""
    for time in times:
        if type(time) is not int or not 0 <= time < END_OF_TIME:
            raise Unreadable("a time that is none")


def is_by_bot(props: Any) -> bool:
    """Yes: it says so itself; a person who says so too is taken for a bot."""
    if not props or not isinstance(props, dict):
        return False
    return any(props.get(name) in ("true", True) for name in _BOT_PROPS)


def refuse_nul(value: Any) -> None:
    """No text of a database may hold a NUL."""
    if _has_nul(value):
        raise Unreadable("a text with a NUL in it")


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value)) or any(map(_has_nul, value.values()))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value
