"""The page at the root: in a browser a person chats, and sees what is kept of it.

What it does in the chat it does by the API, as any client. Besides it needs to come
in, and to look beside the chat: at the archive of whoever runs a bot here.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from typing import Protocol
from urllib.parse import urlsplit

import orjson

from malexbot.errors import MalexbotError
from malexbot.sandbox.call import Answer, Request
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.people import People
from malexbot.sandbox.world import World

_ROOM = "/page/"
_LINK = re.compile(r"/[^/]+/pl/([a-z0-9]{26})")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Names that only this machine has; another one would lead here by a rebound DNS.
_OUR_NAMES = {"127.0.0.1", "localhost", "::1"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Beside(Protocol):
    """Who runs a bot on the sandbox, and tells the page of it."""

    def look(self, channel_id: str, since: int) -> Json:
        """How the bot is (`bot`), what may be done to it (`may`), and its archive.

        `bot` is "listening", "connecting" or "down"; `archive` says whether it can
        be read. If so, `posts` are the channel's rows created from `since` on, the
        newest first and no older than `from`; `mark_at` is up to when all that is
        wanted is among them, None for a channel that the bot does not read, and
        `unwanted` are ids of later posts that its rules leave out.
        """

    def do(self, what: str) -> None:
        """One of `may`."""


class WebPage:
    """Answers what a browser asks besides the API."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people
        self._tokens: dict[str, str] = {}
        self._beside: Beside | None = None
        folder = files("malexbot.sandbox") / "page"
        self._files = {file.name: file for file in folder.iterdir()}

    def show(self, beside: Beside) -> None:
        """From now on the page shows this beside the chat."""
        self._beside = beside

    def answer(self, request: Request) -> Answer | None:
        """None: it is not for the page."""
        path = request.path
        linked = _LINK.fullmatch(path)
        if path != "/" and not path.startswith(_ROOM) and not linked:
            return None
        if not _is_ours(request):
            return _error(403, "This page is for the machine that it runs on.")
        if linked:
            return self._lead(linked[1])
        name = path.removeprefix(_ROOM)
        if request.method == "GET":
            return self._get(request, "index.html" if path == "/" else name)
        if request.method == "POST":
            return self._post(request, name)
        return _error(405, "Only GET and POST.")

    def _get(self, request: Request, name: str) -> Answer:
        if name == "people":
            return _data(self._everybody())
        if name == "beside":
            return _data(self._look(request))
        file = self._files.get(name)
        kind = _KINDS.get(name[name.rfind(".") :])
        if file is None or kind is None:
            return _error(404, "There is no such page.")
        policy = _POLICY.format(host=request.headers["host"])
        headers = _HEADERS | {"Content-Security-Policy": policy}
        return Answer(200, file.read_bytes(), kind, headers)

    def _post(self, request: Request, name: str) -> Answer:
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return _error(400, "The body has to be a JSON object.")
        if name == "enter":
            return self._enter(str(body.get("user_id", "")))
        if name == "do" and self._beside:
            self._beside.do(str(body.get("what", "")))
            return _data({})
        return _error(404, "There is no such page.")

    def _lead(self, post_id: str) -> Answer:
        """To the thread of a post, from the link that it has on every Mattermost."""
        with self._world.lock:
            post = self._world.posts.get(post_id)
        if post is None:
            return _error(404, "There is no such post.")
        place = f"/#{post.channel_id}/{post.root_id or post.id}"
        return Answer(302, b"", headers=_HEADERS | {"Location": place})

    # Coming in.

    def _everybody(self) -> list[Json]:
        """Who a person may be here."""
        with self._world.lock:
            people = filter(self._may_be, self._world.users)
            return [{"id": user.id, "username": user.username} for user in people]

    def _enter(self, user_id: str) -> Answer:
        """A token that is theirs as long as it works."""
        with self._world.lock:
            user = self._world.users.get(user_id)
            if user is None or not self._may_be(user):
                return _error(404, "There is nobody of that id.")
            token = self._tokens.get(user_id, "")
            if self._world.user_of_token(token) is None:
                token = self._people.create_token(user, "page").token
                self._tokens[user_id] = token
        return _data({"token": token})

    def _may_be(self, user: User) -> bool:
        """No bots and no admins; who is in no team has nothing to say."""
        if user.is_bot or user.is_admin or user.delete_at:
            return False
        return any(member.user_id == user.id for member in self._world.team_members)

    # Beside the chat.

    def _look(self, request: Request) -> Json:
        """The posts come only if they are not those that the page `has`."""
        if self._beside is None:
            return {"bot": "", "archive": False, "may": []}
        query = request.query
        since = query.get("since", "")
        try:
            seen = self._beside.look(
                query.get("channel_id", ""), int(since) if since.isdecimal() else 0
            )
        except MalexbotError:
            return {"bot": "down", "archive": False, "may": []}
        if "posts" in seen:
            seen["digest"] = hashlib.sha256(orjson.dumps(seen["posts"])).hexdigest()
            if seen["digest"] == query.get("has"):
                del seen["posts"]
        return seen


def _is_ours(request: Request) -> bool:
    """No: it came by a foreign name, or at the bidding of a foreign page."""
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    origin = request.headers.get("origin")
    return name in _OUR_NAMES and origin in (None, f"http://{host}")


def _data(told: Json | list[Json]) -> Answer:
    return Answer(200, orjson.dumps(told), headers=dict(_HEADERS))


def _error(status: int, message: str) -> Answer:
    body = orjson.dumps({"message": message})
    return Answer(status, body, headers=dict(_HEADERS))
