"""What Mattermost tells, by websocket or REST, as events.

Frames are trusted in nothing: what is no event raises `Unreadable`, with the reason.
Some microseconds an event are all there is time for, hence the bare tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from malexbot.events import Event, Message, Peer, Post, Reaction, User, file_names
from malexbot.messengers.mattermost.contents import (
    Unreadable,
    check_ids,
    check_times,
    check_word,
    read_post,
    refuse_nul,
)

SOURCE = "mattermost"
# What happens to posts; the names of the server, and those of every messenger.
OF_POSTS = {"posted": "message", "post_edited": "edit", "post_deleted": "delete"}
ADDED, REMOVED = "reaction_added", "reaction_removed"
# So many names are kept in mind; then it begins anew.
MOST_NAMES = 50_000

Json = Mapping[str, Any]
# What wrong types and missing fields raise when they are taken for right ones.
_FAULTS = (KeyError, TypeError, AttributeError, ValueError, RecursionError)
# As it stands in JSON; a frame that has it may hold a NUL, or only speak of one.
_NUL_TOLD = "u0000"
_NUL = _NUL_TOLD.encode()


class Translator:
    """Reads frames and rows; remembers names, which most of them leave out."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the server's clock, for what does not tell when it happened."""
        self._now_ms = now_ms
        self._peers: dict[str, Peer] = {}
        self._users: dict[str, User] = {}
        self._addresses: dict[str, str] = {}
        self.strangers: set[str] = set()
        """Who was met and has no name yet."""

    def learn_users(self, rows: Iterable[Json], asked: Iterable[str] = ()) -> None:
        """Remember who is called what, as the REST API tells it.

        Who was asked for and is not told has no name, and is no stranger any more.
        """
        for row in rows:
            self._user(row["id"], f"@{row['username']}")
        for user_id in asked:
            if user_id not in self._users:
                _remember(self._users, user_id, User(user_id))

    def learn_channels(self, rows: Iterable[Json]) -> None:
        """Remember what stands in their addresses, which only new posts tell."""
        for row in rows:
            _remember(self._addresses, row["id"], row.get("name") or "")

    def take_strangers(self, most: int) -> list[str]:
        """Some of them, to ask for; each is taken by one thread."""
        taken: list[str] = []
        try:
            while len(taken) < most:
                taken.append(self.strangers.pop())
        except KeyError:  # that was the last one
            pass
        return taken

    def user(self, user: User) -> User:
        """The same one, with the names that are known by now."""
        return self._users.get(str(user.uuid), user)

    def event(self, frame: Any, *, raw: bytes, connection: int) -> Event:
        """The event of a frame; raises `Unreadable` only."""
        try:
            name, data = frame["event"], frame.get("data") or {}
            if _NUL in raw:
                refuse_nul([frame, orjson.loads(data.get("post") or "{}")])
            if name in OF_POSTS:
                return self._of_post(name, data, raw, connection)
            if name == ADDED or name == REMOVED:
                return self._of_reaction(name, data, frame, raw, connection)
            return self._other(name, data, frame, raw, connection)
        except _FAULTS as error:
            raise _unreadable("a frame", error) from error

    def row(self, row: Any, *, connection: int, channel: str = "") -> Event:
        """The event of a post that REST tells; raises `Unreadable` only.

        `channel` is the name of its channel, for people.
        """
        try:
            raw = orjson.dumps(row)
            told = raw.decode()
            # Among digits a text is searched twice as fast as bytes.
            if _NUL_TOLD in told:
                refuse_nul(row)
            post = read_post(row, told)
        except _FAULTS as error:
            raise _unreadable("a post", error) from error
        name = _name_of(post)
        event_id, at = self._id_and_time(name, post)
        fields: tuple[object, ...] = (
            event_id,
            SOURCE,
            name,
            OF_POSTS[name],
            self._peer(post.channel_id, channel),
            self._user(post.user_id, ""),
            at,
            "backfill",
            connection,
            raw,
            _message(post, row),
            None,
            None,
            post,
            self._addressed(post.channel_id, {}),
            None,
            None,
        )
        return tuple.__new__(Event, fields)

    def _of_post(
        self, name: str, data: dict[str, Any], raw: bytes, connection: int
    ) -> Event:
        told = data.pop("post")
        row = orjson.loads(told)
        post = read_post(row, told)
        if "mentions" in data:
            data["mentions"] = _mentions(data["mentions"])
        event_id, at = self._id_and_time(name, post)
        # One that claims to be of the future is of now.
        at = min(at, self._now_ms())
        fields = (
            event_id,
            SOURCE,
            name,
            OF_POSTS[name],
            self._peer(post.channel_id, _channel_name(data)),
            self._user(post.user_id, data.get("sender_name") or ""),
            at,
            "live",
            connection,
            raw,
            _message(post, row),
            None,
            None,
            post,
            data,
            None,
            None,
        )
        return tuple.__new__(Event, fields)

    def _id_and_time(self, name: str, post: Post) -> tuple[str, int]:
        if name == "posted":
            return post.id, post.create_at
        if name == "post_edited":
            return f"{post.id}:{post.edit_at}", post.update_at
        # What is deleted live does not tell when that was.
        return f"{post.id}:deleted", post.delete_at or self._now_ms()

    def _of_reaction(
        self, name: str, data: Json, frame: Json, raw: bytes, connection: int
    ) -> Event:
        told = orjson.loads(data["reaction"])
        post_id, user_id, emoji = told["post_id"], told["user_id"], told["emoji_name"]
        # A reaction that is taken away has no create_at.
        at = told["create_at"] if name == ADDED else told["update_at"]
        channel_id = frame["broadcast"]["channel_id"]
        if not (post_id and user_id and emoji and channel_id):
            raise Unreadable("a reaction without post, user, emoji or channel")
        check_ids(post_id + user_id + channel_id)
        check_word(emoji)
        check_times(at)
        return Event(
            event_id=f"{post_id}:{user_id}:{emoji}:{at}",
            source=SOURCE,
            name=name,
            event_type="reaction",
            peer=self._peer(channel_id, ""),
            user=self._user(user_id, ""),
            occurred_at=at,
            origin="live",
            connection=connection,
            raw=raw,
            reaction=Reaction(post_id, emoji if name == ADDED else None),
            data=self._addressed(channel_id, told),
        )

    def _other(
        self,
        name: str,
        data: dict[str, Any],
        frame: Json,
        raw: bytes,
        connection: int,
    ) -> Event:
        """What has no id of its own; also what is not known yet."""
        broadcast = frame.get("broadcast") or {}
        channel_id = broadcast.get("channel_id") or data.get("channel_id") or ""
        user_id = data.get("user_id") or ""
        check_ids(channel_id + user_id)
        if type(name) is not str or not name:
            raise Unreadable("a frame whose event has no name")
        check_word(name)
        sequence = frame["seq"]
        check_times(sequence)
        return Event(
            event_id=f"{connection}:{sequence}",
            source=SOURCE,
            name=name,
            event_type=name,
            peer=self._peer(channel_id, _channel_name(data)),
            user=self._user(user_id, ""),
            occurred_at=self._now_ms(),
            origin="live",
            connection=connection,
            raw=raw,
            data=self._addressed(channel_id, data),
        )

    def _peer(self, channel_id: str, name: str) -> Peer:
        """The channel; of one that is named anew, the new name counts."""
        peer = self._peers.get(channel_id)
        if peer is None or name and name != peer.name:
            peer = Peer(channel_id, channel_id, name or None)
            _remember(self._peers, channel_id, peer)
        return peer

    def _addressed(self, channel_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """With the name in the channel's address, if it is known."""
        if address := self._addresses.get(channel_id):
            data.setdefault("channel_name", address)
        return data

    def _user(self, user_id: str, sender: str) -> User:
        """Who it was; only "@alice" is a user name: others call themselves at will."""
        user = self._users.get(user_id)
        if sender.startswith("@"):
            if user is None or user.nick != sender[1:]:
                user = User(user_id, name=sender[1:], nick=sender[1:])
                _remember(self._users, user_id, user)
            return user
        if user is None and user_id:
            if len(self.strangers) < MOST_NAMES:
                self.strangers.add(user_id)
        if sender:
            return User(user_id, sender, nick=user.nick if user else None)
        return user or User(user_id)


def _name_of(post: Post) -> str:
    """What the server would have called it live."""
    if post.original_id:
        return "post_edited"
    return "post_deleted" if post.delete_at else "posted"


def _message(post: Post, row: Json) -> Message:
    files = row.get("metadata")
    names = tuple(file_names(files)) if files else ()
    return tuple.__new__(Message, (post.id, post.message, None, (), names))


def _mentions(told: Any) -> Any:
    """The ids in it; a post is good without them."""
    try:
        return orjson.loads(told)
    except _FAULTS:
        return told


def _channel_name(data: Json) -> str:
    name = data.get("channel_display_name") or data.get("channel_name") or ""
    if type(name) is not str or type(data.get("channel_type", "")) is not str:
        raise Unreadable("a channel whose name or type is no text")
    return name


def _remember(names: dict[str, Any], key: str, name: Any) -> None:
    if len(names) >= MOST_NAMES:
        names.clear()
    names[key] = name


def _unreadable(what: str, error: Exception) -> Unreadable:
    reason = f"{what} with {type(error).__name__}: {error}"
    return Unreadable(reason.encode("utf-8", "replace").decode()[:200])
