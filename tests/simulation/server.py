"""A model of a Mattermost server: its posts and their oddities, without a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from malexbot.events import Event, Message, Peer, Post, User
from malexbot.messengers.mattermost.borders import Changes, Room
from malexbot.messengers.mattermost.failures import Answer, Forbidden
from malexbot.ports import ChannelNews

# So long after its create_at a post may become visible.
LATEST_MS = 59_999
TEAM = "team"
# The server does not count these.
JOINED = "system_join_channel"


@dataclass(slots=True)
class Channel:
    id: str
    type: str = "O"
    posts: dict[str, Post] = field(default_factory=dict)
    """The visible rows, old versions and deleted ones too, as they came."""
    messages: int = 0
    last_post_at: int = 0
    has_bot: bool = True
    is_archived: bool = False
    """Yes: not listed any more, but its posts can be read."""

    def living(self) -> list[Post]:
        """Oldest first; of one millisecond, as they came."""
        rows = (p for p in self.posts.values() if not p.delete_at and not p.original_id)
        return sorted(rows, key=lambda post: post.create_at)

    def texts(self, post: Post) -> list[str]:
        """What it says, and said before it was edited."""
        rows = self.posts.values()
        before = [row.message for row in rows if row.original_id == post.id]
        return [*before, post.message]


# What comes by a socket: an event, a removal of the bot, an answered ping.
Frame = tuple[str, Event | None, int]


class Server:
    """All in one thread; `on_call` is called before each call of the API."""

    def __init__(self, *, per_page: int = 200, since_limit: int = 1000) -> None:
        self.now = 1_700_000_000_000
        self.per_page = per_page
        self.since_limit = since_limit
        self.channels: dict[str, Channel] = {}
        self.pending: deque[Post] = deque()
        self.socket: deque[Frame] | None = None
        self.calls: list[str] = []
        self.on_call: Callable[[str], None] = lambda call: None
        self._ids = 0

    def now_ms(self) -> int:
        return self.now

    def channel(self, id: str, type: str = "O") -> Channel:
        return self.channels.setdefault(id, Channel(id, type))

    def advance(self, ms: int) -> None:
        """Time passes; what is being saved is saved in time."""
        until = self.now + ms
        for post in sorted(self.pending, key=lambda post: post.create_at):
            if post.create_at + LATEST_MS <= until:
                self.now = max(self.now, post.create_at + LATEST_MS)
                self.pending.remove(post)
                self._save(post)
        self.now = until

    # People.

    def begin(
        self,
        channel_id: str,
        text: str = "",
        *,
        at: int | None = None,
        type: str = "",
    ) -> Post:
        """The post has its time, and is not visible yet."""
        now = self.now if at is None else at
        post = Post(
            id=self._id(),
            channel_id=channel_id,
            user_id="alice",
            root_id="",
            original_id="",
            type=type,
            message=text,
            create_at=now,
            update_at=now,
            edit_at=0,
            delete_at=0,
            raw="{}",
        )
        self.pending.append(post)
        return post

    def save(self) -> Post:
        """The oldest post that is being saved is visible; then it is told."""
        return self._save(self.pending.popleft())

    def say(self, channel_id: str, text: str = "", *, at: int | None = None) -> Post:
        self.begin(channel_id, text, at=at)
        return self._save(self.pending.pop())

    def edit(self, post_id: str, text: str) -> None:
        self.advance(1)  # no two texts of a post have the same edit_at
        channel, post = self._find(post_id)
        old = replace_post(post, id=self._id(), original_id=post.id, update_at=self.now)
        new = replace_post(post, message=text, edit_at=self.now, update_at=self.now)
        channel.posts[old.id] = replace_post(old, delete_at=self.now)
        channel.posts[post.id] = new
        channel.last_post_at = max(channel.last_post_at, self.now)
        self._tell(channel, "post_edited", new)

    def delete(self, post_id: str) -> None:
        channel, post = self._find(post_id)
        gone = replace_post(post, delete_at=self.now, update_at=self.now, message="")
        channel.posts[post.id] = gone
        self._tell(channel, "post_deleted", post)

    def erase(self, post_id: str) -> None:
        """Removed from the database; nobody is told."""
        channel, post = self._find(post_id)
        channel.posts = {
            row.id: row
            for row in channel.posts.values()
            if post.id not in (row.id, row.original_id)
        }

    def remove_bot(self, channel_id: str) -> None:
        self.channels[channel_id].has_bot = False
        if self.socket is not None:
            self.socket.append(("removed", None, 0))

    # The socket.

    def connect(self) -> None:
        self.socket = deque()

    def ping(self) -> None:
        if self.socket is not None:
            self.socket.append(("pong", None, self.now))

    # The API: borders.Pages and rooms.Directory.

    def newest(self, room: Room, number: int = 0) -> Sequence[Event]:
        posts = self._called(f"newest {room.id} {number}", room).living()
        return self._page(posts[::-1], number)

    def before(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        channel = self._called(f"before {room.id} {anchor_id} {number}", room)
        anchor = channel.posts.get(anchor_id)
        posts = channel.living()[::-1] if anchor else []
        return self._page(
            [p for p in posts if anchor and p.create_at < anchor.create_at], number
        )

    def after(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        channel = self._called(f"after {room.id} {anchor_id} {number}", room)
        anchor = channel.posts.get(anchor_id)
        posts = channel.living() if anchor else []
        newer = [p for p in posts if anchor and p.create_at > anchor.create_at]
        return self._page(newer, number)[::-1]

    def since(self, room: Room, changed_after: int) -> Changes:
        channel = self._called(f"since {room.id} {changed_after}", room)
        rows = [row for row in channel.posts.values() if row.update_at > changed_after]
        # Which rows it answers beyond the limit nobody can tell.
        rows = sorted(rows, key=lambda row: row.id[::-1])[: self.since_limit]
        rows.sort(key=lambda row: row.create_at, reverse=True)
        return Changes([as_event(row) for row in rows], len(rows))

    def post(self, room: Room, post_id: str) -> Event | None:
        post = self._called(f"post {post_id}", room).posts.get(post_id)
        return None if post is None or post.delete_at else as_event(post)

    def teams(self) -> Mapping[str, str]:
        return {TEAM: "crew"}

    def channels_of(self) -> list[Channel]:
        listed = (c for c in self.channels.values() if not c.is_archived)
        return [channel for channel in listed if channel.has_bot]

    def list_channels(self, team_ids: Iterable[str]) -> Sequence[ChannelNews]:
        self._tell_call("channels")
        return [
            ChannelNews(
                channel_id=channel.id,
                team_id=TEAM if channel.type == "O" else "",
                type=channel.type,
                name=channel.id,
                display_name="",
                messages=channel.messages,
                last_post_at=channel.last_post_at,
            )
            for channel in self.channels_of()
        ]

    def _called(self, call: str, room: Room) -> Channel:
        self._tell_call(call)
        channel = self.channels[room.id]
        if not channel.has_bot:
            raise Forbidden("get posts", Answer(403, "api.context.permissions"))
        return channel

    def _tell_call(self, call: str) -> None:
        self.calls.append(call)
        self.on_call(call)

    def _page(self, posts: Sequence[Post], number: int) -> list[Event]:
        start = number * self.per_page
        return [as_event(post) for post in posts[start : start + self.per_page]]

    # Inside.

    def _save(self, post: Post) -> Post:
        channel = self.channels[post.channel_id]
        channel.posts[post.id] = post
        channel.messages += post.type != JOINED
        channel.last_post_at = max(channel.last_post_at, post.create_at)
        self._tell(channel, "posted", post)
        return post

    def _tell(self, channel: Channel, name: str, post: Post) -> None:
        if self.socket is not None and channel.has_bot:
            event = as_event(post, name=name, origin="live")
            self.socket.append(("event", event, 0))

    def _find(self, post_id: str) -> tuple[Channel, Post]:
        for channel in self.channels.values():
            if post_id in channel.posts:
                return channel, channel.posts[post_id]
        raise KeyError(post_id)

    def _id(self) -> str:
        self._ids += 1
        return f"p{self._ids}"


class ServerDirectory:
    """The server's list of channels, as rooms.Directory has it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def teams(self) -> Mapping[str, str]:
        return self._server.teams()

    def channels(self, team_ids: Iterable[str]) -> Sequence[ChannelNews]:
        return self._server.list_channels(team_ids)


def replace_post(post: Post, **changes: object) -> Post:
    return post._replace(**changes)  # type: ignore[arg-type]


def as_event(post: Post, *, name: str = "", origin: str = "backfill") -> Event:
    """What a translation of this row would be."""
    if not name:
        name = "post_deleted" if post.delete_at else "posted"
        if post.original_id:
            name = "post_edited"
    return Event(
        event_id=f"{post.id}:{name}:{post.edit_at}",
        source="mattermost",
        name=name,
        event_type={"posted": "message", "post_edited": "edit"}.get(name, "delete"),
        peer=Peer(post.channel_id, post.channel_id),
        user=User(post.user_id),
        occurred_at=post.create_at,
        origin="live" if origin == "live" else "backfill",
        connection=0,
        raw=b"",
        message=Message(post.id, post.message),
        post=post,
    )
