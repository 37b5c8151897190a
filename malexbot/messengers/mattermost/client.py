"""Mattermost's REST API in our terms: typed calls, typed errors, no surprise.

The endpoint classes are those of mattermostdriver, which is imported here only;
each of their calls goes through `Transport`, which is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from mattermostdriver import Driver, client  # type: ignore[import-untyped]

from malexbot.messengers.mattermost.failures import Busy, Failure, Unreachable
from malexbot.messengers.mattermost.link import READ_S, Link
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

Json = dict[str, Any]

# How long one call may be repeated before its caller hears of it.
PATIENCE_S = 60.0
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
# What may be sent again although it is a POST: the second one changes nothing.
REPEATABLE_POSTS = ("/users/ids", "/users/usernames", "/channels/direct", "/reactions")


class Transport(client.Client):  # type: ignore[misc]
    """What mattermostdriver's endpoints call: waits for its seat, repeats, gives up."""

    def __init__(self, options: Json) -> None:
        super().__init__(options)
        self._link: Link = options["link"]
        self._stop: Stop = options["stop"]
        self._patience_s: float = options["patience_s"]
        self._read_s: float = options["read_s"]

    def make_request(
        self,
        method: str,
        endpoint: str,
        options: Any = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        files: Any = None,
        basepath: str | None = None,
    ) -> Any:
        """The driver's one way out; answers what the body holds."""
        body = {"params": params, "data": data, "files": files}
        if method != "get" and options is not None:
            body["json"] = options
        is_repeatable = method != "post" or endpoint in REPEATABLE_POSTS
        backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        deadline = Deadline(self._patience_s)
        while True:
            self._take_seat(f"{method} {endpoint}", deadline)
            try:
                return self._link.exchange(
                    method,
                    endpoint,
                    is_repeatable=is_repeatable,
                    read_s=self._read_s,
                    **body,
                )
            except (Busy, Unreachable) as error:
                wait_s = max(backoff.next_s(), self._hold(error))
                if not is_repeatable or wait_s >= deadline.left_s:
                    raise
                if self._stop.wait(wait_s):
                    raise

    def _hold(self, error: Failure) -> float:
        """A limit that was met is everybody's."""
        wait_s = error.retry_after_s or 0.0
        if error.status == 429:
            self._link.pace.hold(wait_s)
        return wait_s

    def _take_seat(self, call: str, deadline: Deadline) -> None:
        wait_s = self._link.pace.seat_s(deadline.left_s)
        if wait_s is None:
            raise Busy(call, "the rate limit leaves no room for it now")
        if wait_s > 0 and self._stop.wait(wait_s):
            raise Unreachable(call, "malexbot stops")

    def get(self, endpoint: str, options: Any = None, params: Any = None) -> Any:
        return self.make_request("get", endpoint, params=params)

    def post(
        self,
        endpoint: str,
        options: Any = None,
        params: Any = None,
        data: Any = None,
        files: Any = None,
    ) -> Any:
        return self.make_request("post", endpoint, options, params, data, files)

    def put(
        self, endpoint: str, options: Any = None, params: Any = None, data: Any = None
    ) -> Any:
        return self.make_request("put", endpoint, options, params, data)

    def delete(
        self, endpoint: str, options: Any = None, params: Any = None, data: Any = None
    ) -> Any:
        return self.make_request("delete", endpoint, options, params, data)


class Client:
    """What malexbot asks of a Mattermost server; safe to use from many threads.

    Every call raises a `Failure`: Transient, Permanent or Uncertain. One that waits,
    for its seat or to be repeated, wakes when `stop` is set.
    """

    def __init__(
        self,
        link: Link,
        *,
        stop: Stop | None = None,
        patience_s: float = PATIENCE_S,
        read_s: float = READ_S,
    ) -> None:
        self.link = link
        url = urlsplit(link.url)
        options = {
            "scheme": url.scheme,
            "url": url.hostname,
            "port": url.port or (443 if url.scheme == "https" else 80),
            "basepath": url.path,
            "link": link,
            "stop": stop or Stop(),
            "patience_s": patience_s,
            "read_s": read_s,
        }
        self._driver = Driver(options, client_cls=Transport)
        self._read_s = read_s

    def __repr__(self) -> str:
        return f"Client({self.link.url})"

    def within(
        self, stop: Stop, *, patience_s: float = PATIENCE_S, read_s: float = READ_S
    ) -> Client:
        """The same server, for a thread with a stop and a patience of its own."""
        return Client(self.link, stop=stop, patience_s=patience_s, read_s=read_s)

    def server_now_ms(self) -> int:
        """The server's clock, which the ages of its events are judged by.

        Ours may be wrong: as long as nothing was heard of the server, it is asked.
        """
        clock = self.link.clock
        if not clock.is_told:
            try:
                self.ping()
            except Failure:
                # A refusal comes with the time as well.
                if not clock.is_told:
                    raise
        return clock.now_ms()

    # The server and its people.

    def ping(self) -> Json:
        """Whether the server answers at all; a refused token does not matter."""
        return _object(self._driver.client.get("/system/ping"))

    def client_config(self) -> dict[str, str]:
        """MaxPostSize and the like; all values are strings."""
        return _object(self._driver.system.get_client_configuration({"format": "old"}))

    def me(self) -> Json:
        """The bot itself."""
        return _object(self._driver.users.get_user("me"))

    @property
    def own_id(self) -> str:
        """The user id of the bot; asked once, it never changes."""
        if not self.link.own_id:
            self.link.own_id = str(self.me()["id"])
        return self.link.own_id

    def call(self, method: str, endpoint: str, **body: Any) -> Any:
        """What no endpoint of the driver does right; `options` is sent as JSON."""
        return self._driver.client.make_request(method, endpoint, **body)

    def tell(self, url: str, body: Json) -> None:
        """POST to a webhook; raises Uncertain if nobody can tell whether it came."""
        self.link.tell(url, body, read_s=self._read_s)

    def users(self, ids: Sequence[str]) -> list[Json]:
        return _list(self._driver.users.get_users_by_ids(list(ids)))

    def user_by_name(self, username: str) -> Json:
        return _object(self._driver.users.get_user_by_username(username))

    # Teams and channels.

    def teams(self) -> list[Json]:
        """The teams that the bot is in."""
        return _list(self._driver.teams.get_user_teams("me"))

    def channels(self, team_id: str) -> list[Json]:
        """The channels of the team that the bot is in, and all its direct ones."""
        return _list(self._driver.channels.get_channels_for_user("me", team_id))

    def channel(self, channel_id: str) -> Json:
        return _object(self._driver.channels.get_channel(channel_id))

    def channel_by_name(self, team: str, name: str) -> Json:
        """By the names that stand in its address: team/channels/name."""
        return _object(
            self._driver.channels.get_channel_by_name_and_team_name(team, name)
        )

    def direct_channel(self, user_id: str) -> Json:
        """The channel of the bot and this user; made if there is none."""
        pair = [self.own_id, user_id]
        return _object(self._driver.channels.create_direct_message_channel(pair))

    # Posts.

    def posts(
        self,
        channel_id: str,
        *,
        before: str | None = None,
        after: str | None = None,
        since: int | None = None,
        page: int | None = None,
        per_page: int = 200,
    ) -> Json:
        """A page: `order` (ids, newest first) and `posts` (by id; may hold more)."""
        asked = {
            "before": before,
            "after": after,
            "since": since,
            "page": page,
            "per_page": per_page,
        }
        params = {name: value for name, value in asked.items() if value is not None}
        found = _object(self._driver.posts.get_posts_for_channel(channel_id, params))
        order, posts = found.get("order") or [], found.get("posts") or {}
        if not isinstance(order, list) or not isinstance(posts, dict):
            raise _strange("posts")
        return {**found, "order": order, "posts": posts}

    def post(self, post_id: str) -> Json:
        return _object(self._driver.posts.get_post(post_id))

    def create_post(
        self,
        channel_id: str,
        message: str,
        *,
        root_id: str = "",
        props: Mapping[str, Any] | None = None,
        file_ids: Sequence[str] = (),
        pending_post_id: str = "",
    ) -> Json:
        """Post; the same `pending_post_id` within 30 s gives the same post again."""
        post = {
            "channel_id": channel_id,
            "message": message,
            "root_id": root_id,
            "props": dict(props or {}),
            "file_ids": list(file_ids),
            "pending_post_id": pending_post_id,
        }
        return _object(self._driver.posts.create_post(post))

    def patch_post(self, post_id: str, **changes: Any) -> Json:
        """Change what is named, such as `message`; the rest stays."""
        return _object(self._driver.posts.patch_post(post_id, changes))

    def delete_post(self, post_id: str) -> None:
        self._driver.posts.delete_post(post_id)

    def react(self, post_id: str, emoji: str) -> None:
        """Twice is once."""
        self._driver.reactions.create_reaction(
            {"user_id": self.own_id, "post_id": post_id, "emoji_name": emoji}
        )

    def open_dialog(self, dialog: Json) -> None:
        """Open it before whose trigger it names."""
        self._driver.integration_actions.open_dialog(dialog)

    def submit_dialog(self, url: str, channel_id: str, team_id: str) -> Json:
        """Have the server send an empty form to this URL; what that answered.

        It goes there as the click on a button does, with the same rights.
        """
        form = {
            "url": url,
            "callback_id": "malexbot",
            "state": "",
            "channel_id": channel_id,
            "team_id": team_id,
            "submission": {},
            "cancelled": False,
        }
        return _object(self._driver.integration_actions.submit_dialog(form))

    def upload(self, channel_id: str, name: str, content: bytes) -> str:
        """Returns the id of the file, which one post may then name."""
        files = {"files": (name, content)}
        told = _object(self._driver.files.upload_file(channel_id, files))
        try:
            return str(told["file_infos"][0]["id"])
        except (KeyError, IndexError, TypeError):
            raise _strange("post /files") from None


def _object(told: Any) -> Json:
    if not isinstance(told, dict):
        raise _strange("an object was expected")
    return told


def _list(told: Any) -> list[Json]:
    if not isinstance(told, list):
        raise _strange("a list was expected")
    return told


def _strange(call: str) -> Failure:
    """Something else than Mattermost answers there."""
    return Busy(call, "not what Mattermost answers")
