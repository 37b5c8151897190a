"""The vocabulary: what happened, in the words that every part of malexbot uses.

All of it is immutable and cheap to make: some fifty thousand events a second pass.
The fields of the small tuples are those of the services that read the bus; on
Mattermost an id is a string where VK has a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Literal, NamedTuple

Id = int | str
Origin = Literal["live", "backfill", "replay"]

# Where the words of an attachment stand.
_WORDS = ("fallback", "pretext", "title", "text")
_SAID = (str, int, float)
# What a person asks of the bot itself: their order is that person's own.
OF_A_PERSON = frozenset({"command", "button", "dialog"})
# So their lanes begin, on each messenger.
LANES_OF_PERSONS = ("mattermost:@", "vk:@")
# What most of what is told of messages is called on Mattermost.
_COMMON = {"message": "posted", "edit": "post_edited", "delete": "post_deleted"}
# What the older routing service called them, and whose clock it showed.
_FLAT = {"message": "message_new", "command": "command_call"}
MOSCOW = timezone(timedelta(hours=3))
# What pings all who are there, on each messenger: where no word goes on before it.
_LOUD = {
    "mattermost": re.compile(r"(?<![^\W_])@(?=(?:channel|all|here)\b)", re.IGNORECASE),
    "vk": re.compile(
        r"(?<![^\W_])[@*](?=(?:all|everyone|here|online|все|здесь|тут)\b)",
        re.IGNORECASE,
    ),
}
# A sign that nobody sees makes two words of it.
HUSH = "\N{ZERO WIDTH SPACE}"


class User(NamedTuple):
    """Who did it; what is not known is None."""

    uuid: Id
    name: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    nick: str | None = None


class Peer(NamedTuple):
    """Where it happened: a channel or a conversation."""

    bpid: Id
    cid: Id
    name: str | None = None


class Reply(NamedTuple):
    """A message that another one answers or forwards."""

    cmid: Id
    text: str


class Message(NamedTuple):
    """What was said."""

    cmid: Id
    text: str
    reply: Reply | None = None
    forward: Sequence[Reply] = ()
    attachments: Sequence[str] = ()


class Reaction(NamedTuple):
    """An emoji on a message; `rid` is None when it was taken away."""

    cmid: Id
    rid: Id | None


class Button(NamedTuple):
    """A pressed button."""

    cmid: Id
    beid: str
    payload: Mapping[str, Any]


class Command(NamedTuple):
    """A slash command that somebody gave."""

    name: str
    """As it was given, with its slash: /deploy."""
    text: str
    """All that stands behind the name."""


class Form(NamedTuple):
    """What somebody wrote into a dialog; called off, there is nothing in it."""

    name: str
    """Which dialog it was."""
    values: Mapping[str, Any]
    """What stands in each field, by its name."""
    payload: Mapping[str, Any]
    """What the dialog was given along when it was opened."""
    is_cancelled: bool = False


class Post(NamedTuple):
    """A Mattermost post as the archive keeps it; times in ms of the server's clock."""

    id: str
    channel_id: str
    user_id: str
    root_id: str
    original_id: str
    type: str
    message: str
    create_at: int
    update_at: int
    edit_at: int
    delete_at: int
    raw: str
    """The post as JSON, just as the server wrote it."""
    texts: Sequence[str] = ()
    """Further text that a filter looks at: of attachments, and names of files."""
    by_bot: bool = False
    """Yes: it says of itself that a program wrote it, a bot or a webhook."""

    @property
    def is_system(self) -> bool:
        """Yes means that the server wrote it: a join, a new header, …"""
        return self.type.startswith("system_")

    @property
    def is_old_version(self) -> bool:
        """Yes means that this row tells what `original_id` said before an edit."""
        return bool(self.original_id)


class Event(NamedTuple):
    """One happening; seen live, resumed or by backfill it has the same `event_id`."""

    event_id: str
    source: str
    """The messenger: mattermost, vk."""
    name: str
    """What the messenger calls it: posted, reaction_added, hello, …"""
    event_type: str
    """What it is on every messenger: message, edit, delete, reaction, button, …"""
    peer: Peer
    user: User
    occurred_at: int
    """Milliseconds of the server's clock."""
    origin: Origin
    connection: int
    """The number of the connection that brought it; of the walk, for backfill."""
    raw: bytes
    """What came in, for the day that it cannot be kept."""
    message: Message | None = None
    reaction: Reaction | None = None
    button: Button | None = None
    post: Post | None = None
    data: Mapping[str, Any] = {}
    """What else the messenger told: channel_type, mentions, sender, …"""
    command: Command | None = None
    form: Form | None = None

    @property
    def lane(self) -> str:
        """Events of one lane are handled in their order."""
        if self.event_type in OF_A_PERSON:
            return f"{self.source}:@{self.user.uuid}"
        return f"{self.source}:{self.peer.bpid}"

    @property
    def common_name(self) -> str:
        """What it is called where one word is to do for every messenger.

        It is the name that Mattermost has for it, or for who calls us.
        """
        if self.event_type in OF_A_PERSON:
            return self.event_type
        if self.reaction is not None:
            return "reaction_removed" if self.reaction.rid is None else "reaction_added"
        return _COMMON.get(self.event_type, self.name)

    @property
    def said(self) -> Message | None:
        """What was said; a slash command is the message that it was typed as."""
        if self.message is None and self.command is not None:
            return Message("", f"{self.command.name} {self.command.text}".rstrip())
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """The event as plain values: who, where, and by type what."""
        told = {
            "event_type": self.event_type,
            "event_id": self.event_id,
            "user": plain(self.user),
            "peer": plain(self.peer),
        }
        parts = {
            "message": self.said,
            "button": self.button,
            "reaction": self.reaction,
        }
        there = {name: plain(part) for name, part in parts.items() if part is not None}
        return told | there

    def to_flat(self, zone: tzinfo = MOSCOW) -> dict[str, Any] | None:
        """As the older routing service told it; None for what it had no form for."""
        said, button = self.said, self.button
        if button is not None:
            more = {
                "cmid": button.cmid,
                "button_event_id": button.beid,
                "payload": plain(button.payload),
            }
            return self._flat("button_pressed", zone) | more
        if said is None or self.event_type not in _FLAT:
            return None
        return {**self._flat(_FLAT[self.event_type], zone), **plain(said)}

    def _flat(self, event_type: str, zone: tzinfo) -> dict[str, Any]:
        ts = self.occurred_at // 1000
        return {
            "ts": ts,
            "datetime": f"{datetime.fromtimestamp(ts, zone):%Y-%m-%d %H:%M:%S}",
            "event_type": event_type,
            "event_id": self.event_id,
            "user_id": self.user.uuid,
            "user_name": self.user.name,
            "user_nick": self.user.nick,
            "peer_id": self.peer.bpid,
            "peer_name": self.peer.name,
            "chat_id": self.peer.cid,
        }


def plain(value: Any) -> Any:
    """The same in what JSON has: a tuple of ours is a map by its fields."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return value


def hushed(text: str, messenger: str) -> str:
    """The same to who reads it there, and it pings nobody but people by their names."""
    loud = _LOUD.get(messenger)
    return loud.sub(rf"\g<0>{HUSH}", text) if loud else text


# What a post says beside its message, in the JSON of Mattermost.


def texts(props: Any, metadata: Any) -> Iterator[str]:
    """What the attachments say and how the files are named; odd ones say nothing."""
    for attachment in _dicts(props, "attachments"):
        yield from _strings(attachment.get(name) for name in _WORDS)
        for field in _dicts(attachment, "fields"):
            yield from _strings((field.get("title"), field.get("value")))
    yield from file_names(metadata)


def file_names(metadata: Any) -> Iterator[str]:
    return _strings(file.get("name") for file in _dicts(metadata, "files"))


def _dicts(owner: Any, name: str) -> Iterator[Mapping[str, Any]]:
    items = owner.get(name) if isinstance(owner, dict) else None
    if isinstance(items, list):
        yield from (item for item in items if isinstance(item, dict))


def _strings(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if value and isinstance(value, _SAID):
            yield str(value)
