"""What an export tells of people, channels, times and files, in any format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from malexbot.events import texts
from malexbot.storage.contents import Contents
from malexbot.storage.export import Kept, Place, Share
from malexbot.storage.files import KnownFile

# What the words of Mattermost's emoji look like; of the others the words are shown.
EMOJI = {
    "+1": "👍",
    "thumbsup": "👍",
    "-1": "👎",
    "thumbsdown": "👎",
    "heart": "❤️",
    "tada": "🎉",
    "eyes": "👀",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "warning": "⚠️",
    "fire": "🔥",
    "rocket": "🚀",
    "clap": "👏",
    "pray": "🙏",
    "ok_hand": "👌",
    "wave": "👋",
    "muscle": "💪",
    "smile": "😄",
    "grinning": "😀",
    "joy": "😂",
    "slightly_smiling_face": "🙂",
    "thinking_face": "🤔",
    "thinking": "🤔",
    "cry": "😢",
    "100": "💯",
    "question": "❓",
    "bulb": "💡",
}
_PAIR = "__"
DIRECT, GROUP = "D", "G"
_UNITS = ("B", "kB", "MB", "GB")


class File(NamedTuple):
    """What hangs on a post."""

    id: str
    name: str
    size: str
    kept_at: Path | None = None
    """Where its content lies, if it is kept."""

    @property
    def link(self) -> str:
        """To what is kept of it; "" if nothing is."""
        return self.kept_at.as_uri() if self.kept_at else ""


class Mark(NamedTuple):
    """An emoji, and who put it on a post."""

    sign: str
    people: Sequence[str]


@dataclass(frozen=True, slots=True)
class Book:
    """What is exported as a whole: the same from the first row to the last one."""

    shares: Sequence[Share]
    """The channels, in the order of their chapters."""
    people: Mapping[str, str]
    server: str = ""
    """The address of the Mattermost; "" when it is not known."""
    contents: Contents | None = None
    """Where files are kept."""

    @property
    def posts(self) -> int:
        return sum(share.posts for share in self.shares)

    @property
    def title(self) -> str:
        place = self.server.partition("://")[2] or "Mattermost"
        if len(self.shares) == 1:
            return f"{self.channel(self.shares[0])} on {place}"
        return f"Archive of {place}"

    @property
    def span(self) -> str:
        """From the first day to the last one; "" when there is none."""
        if not self.shares:
            return ""
        first = day(min(share.first_at for share in self.shares))
        last = day(max(share.last_at for share in self.shares))
        return first if first == last else f"{first} – {last}"

    def channel(self, share: Share) -> str:
        """How people call it; a conversation has the names of who takes part."""
        if share.display_name and share.type != DIRECT:
            return share.display_name
        if share.type == DIRECT and _PAIR in share.name:
            pair = dict.fromkeys(share.name.split(_PAIR))
            return ", ".join(self.person(user_id) for user_id in pair)
        return share.name or share.channel_id

    def person(self, user_id: str) -> str:
        return self.people.get(user_id) or user_id

    def author(self, post: Mapping[str, Any]) -> str:
        """Who a post says wrote it: a webhook may speak for somebody."""
        props = post.get("props")
        if isinstance(props, dict) and props.get("from_webhook"):
            name = props.get("override_username") or props.get("webhook_display_name")
            if name and isinstance(name, str):
                return name
        return self.person(post["user_id"])

    def permalink(self, post_id: str) -> str:
        """Where it is on the server, in whichever team; "" when that is not known."""
        return f"{self.server}/_redirect/pl/{post_id}" if self.server else ""

    def files(self, kept: Kept) -> Iterator[File]:
        """What hangs on a post, with what is kept of it."""
        known = {file.id: file for file in kept.files}
        for file in files(kept.post):
            yield file._replace(kept_at=self.kept_at(known.get(file.id)))

    def kept_at(self, file: KnownFile | None) -> Path | None:
        """Where the content of a file lies here; another machine may have it."""
        if file is None or file.sha256 is None or self.contents is None:
            return None
        is_here = self.contents.has(file.sha256, file.size)
        return self.contents.path(file.sha256) if is_here else None

    def marks(self, kept: Kept) -> Iterator[Mark]:
        """The reactions, counted by emoji; the one that came first stands first."""
        first: dict[str, int] = {}
        for reaction in kept.reactions:
            first.setdefault(reaction.emoji, len(first))
        by_emoji = sorted(kept.reactions, key=lambda mark: first[mark.emoji])
        for emoji, marks in groupby(by_emoji, key=lambda mark: mark.emoji):
            people = [self.person(mark.user_id) for mark in marks]
            yield Mark(EMOJI.get(emoji, f":{emoji}:"), people)


class Format(Protocol):
    """Writes an export: text, of which each piece depends only on what it is given."""

    def head(self) -> str: ...

    def row(self, kept: Kept, before: Place | None) -> str:
        """A post; `before` is the place of the one that stands before it, if any."""
        ...

    def tail(self, before: Place | None) -> str: ...


def files(post: Mapping[str, Any]) -> Iterator[File]:
    """What the server's JSON tells of the files on a post."""
    metadata = post.get("metadata")
    told = metadata.get("files") if isinstance(metadata, dict) else None
    for file in told if isinstance(told, list) else ():
        if isinstance(file, dict):
            size = file.get("size")
            name = str(file.get("name") or "a file")
            shown = readable_size(size) if isinstance(size, int) else ""
            yield File(str(file.get("id") or ""), name, shown)


def attached(post: Mapping[str, Any]) -> str:
    """What the attachments of a bot's post say."""
    props = post.get("props")
    if not isinstance(props, dict) or "attachments" not in props:
        return ""
    return "\n".join(dict.fromkeys(texts(props, None)))


def said(post: Mapping[str, Any]) -> str:
    """The text, and that of the attachments after it."""
    return "\n".join(filter(None, (post["message"], attached(post)))).strip("\n")


def is_system(post: Mapping[str, Any]) -> bool:
    return str(post["type"]).startswith("system_")


def day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000):%Y-%m-%d}"


def clock(at_ms: int, of: str = "") -> str:
    """The time; with the day when that is not `of`."""
    at = datetime.fromtimestamp(at_ms / 1000)
    return f"{at:%H:%M}" if f"{at:%Y-%m-%d}" == of else f"{at:%Y-%m-%d %H:%M}"


def exact(at_ms: int) -> str:
    """For programs."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def readable_size(size: float) -> str:
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    digits = 1 if unit and size < 10 else 0
    return f"{size:.{digits}f} {_UNITS[unit]}"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}".replace(",", "\u202f")
