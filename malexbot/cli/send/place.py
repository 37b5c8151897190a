"""Where a message goes: the channel, the person or the thread that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from malexbot.errors import Permanent, Transient
from malexbot.storage.channels import channel_names, find_channels
from malexbot.storage.people import find_people, people_names
from malexbot.storage.threads import Root, find_root

if TYPE_CHECKING:
    from malexbot.config.mattermost import Mattermost
    from malexbot.messengers.mattermost.client import Client
    from malexbot.storage.database import Database

SOURCE = "mattermost"
# The channel of an incoming webhook is called so: hook:NAME.
HOOK = "hook:"
# How long a call may be repeated, and how long one answer may take.
PATIENCE_S = 5.0
READ_S = 30.0

_ID = re.compile(r"(?:.*/)?([a-z0-9]{26})/?")


class Line:
    """The way to the server, for what the archive does not know; opened when needed."""

    def __init__(self, settings: Mattermost) -> None:
        self.settings = settings

    @cached_property
    def client(self) -> Client:
        from malexbot.messengers.mattermost.client import Client
        from malexbot.messengers.mattermost.link import Link

        token = self.settings.token.get_secret_value()
        link = Link(url=self.settings.api_url, token=token)
        return Client(link, patience_s=PATIENCE_S, read_s=READ_S)

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "client" in self.__dict__:
            self.client.link.close()


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or a person, and the thread there."""

    name: str
    channel_id: str = ""
    user_id: str = ""
    """Of a person; what is sent there goes into the channel of both."""
    root_id: str = ""

    @property
    def target(self) -> str:
        """The lane that keeps the order of what is sent there."""
        return f"{SOURCE}:{self.channel_id or f'@{self.user_id}'}"

    @property
    def where(self) -> dict[str, str]:
        if self.user_id:
            return {"user_id": self.user_id}
        return {"channel_id": self.channel_id, "root_id": self.root_id}


def find_place(
    line: Line, database: Database, *, to: str | None, thread: str | None
) -> Place:
    """The one that is meant; raises when none is, several are, or nobody can tell."""
    if to and to.startswith(HOOK):
        return _webhook(line, to, thread)
    if to and to.startswith("@"):
        if thread:
            raise Permanent("--thread says where it is: leave --to out")
        return _person(line, database, to[1:])
    channel = _channel(line, database, to.strip()) if to else None
    if not thread:
        assert channel is not None, "one of both was given"
        return channel
    root = _root(line, database, thread.strip())
    if channel is None:
        return Place("the thread", channel_id=root.channel_id, root_id=root.id)
    if channel.channel_id != root.channel_id:
        raise Permanent(f"the thread is not in {channel.name}: leave --to out")
    name = f"the thread in {channel.name}"
    return Place(name, channel_id=root.channel_id, root_id=root.id)


def _webhook(line: Line, to: str, thread: str | None) -> Place:
    """An incoming webhook posts, where it was made for."""
    if thread:
        raise Permanent("an incoming webhook answers in no thread: leave --thread out")
    name, known = to.removeprefix(HOOK), line.settings.incoming_webhooks
    if name not in known:
        close = _meant(name, known, mark=HOOK)
        raise Permanent(f"no {name!r} is in mattermost.incoming_webhooks{close}")
    return Place(f"the webhook {name}", channel_id=to)


def _person(line: Line, database: Database, name: str) -> Place:
    """As the server says now: a name may have gone over to somebody else."""
    from malexbot.messengers.mattermost.failures import Rejected

    try:
        user = line.client.user_by_name(name)
    except Rejected as error:
        close = _meant(name, people_names(database), mark="@")
        raise Permanent(f"the server knows nobody called @{name}{close}") from error
    except Transient:
        # Away; what is sent waits for it, if it is known to whom.
        known = [each for each in find_people(database, name) if each.name]
        if len(known) != 1:
            raise
        return Place(f"@{known[0].name}", user_id=known[0].id)
    if user.get("delete_at"):
        raise Permanent(f"@{name} is deactivated and would never read it")
    return Place(f"@{user['username']}", user_id=str(user["id"]))


def _channel(line: Line, database: Database, text: str) -> Place:
    known = [each for each in find_channels(database, text) if each.is_accessible]
    if len(known) > 1:
        told = ", ".join(map(str, known))
        raise Permanent(
            f"several channels are called {text!r}, give team/name or the id: {told}"
        )
    if known:
        return Place(known[0].display_name or known[0].name, channel_id=known[0].id)
    return _asked(line, database, text)


def _asked(line: Line, database: Database, text: str) -> Place:
    """One that the daemon has not seen yet."""
    listed = list(_listed(line.client))
    found = {
        channel["id"]: channel
        for team, channel in listed
        if text == channel["id"] or _is_called(text, team, channel)
    }
    if not found:
        names = {channel["name"] for _, channel in listed if channel["type"] in "OP"}
        name = text.lower().lstrip("~").rpartition("/")[2]
        close = _meant(name, [*names, *channel_names(database)])
        raise Permanent(
            f"the bot is in no channel {text!r}: /invite it there first{close}"
        )
    if len(found) > 1:
        raise Permanent(f"several channels are called {text!r}: give team/name")
    (channel,) = found.values()
    name = channel.get("display_name") or channel["name"]
    return Place(name, channel_id=str(channel["id"]))


def _listed(client: Client) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that the bot is in, with the name of the team."""
    for team in client.teams():
        for channel in client.channels(str(team["id"])):
            if not channel.get("delete_at"):
                yield str(team["name"]), channel


def _is_called(text: str, team: str, channel: dict[str, Any]) -> bool:
    wanted_team, _, name = text.lower().lstrip("~").rpartition("/")
    names = channel["name"].lower(), str(channel.get("display_name")).lower()
    return name in names and wanted_team in ("", team.lower())


def _root(line: Line, database: Database, text: str) -> Root:
    from malexbot.messengers.mattermost.failures import Rejected

    found = _ID.fullmatch(text)
    if not found:
        raise Permanent(f"{text!r} is neither a permalink nor the id of a post")
    if root := find_root(database, found[1]):
        return root
    try:
        post = line.client.post(found[1])
    except Rejected as error:
        raise Permanent(
            f"the bot sees no post {found[1]}: it was deleted, or is in a channel that"
            " the bot is not in"
        ) from error
    return Root(str(post.get("root_id") or post["id"]), str(post["channel_id"]))


def _meant(name: str, known: Any, mark: str = "") -> str:
    close = get_close_matches(name.lower(), sorted(set(known)))
    return f"; did you mean {' or '.join(mark + each for each in close)}?" * bool(close)
