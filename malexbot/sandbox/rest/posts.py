"""Posts, their pages and threads, and reactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from malexbot.sandbox.call import OK, Answer, Call, Result, Route, created
from malexbot.sandbox.changes import Changes
from malexbot.sandbox.clock import is_id
from malexbot.sandbox.content import Post
from malexbot.sandbox.faults import Faults, Unanswered
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.model import Json, User
from malexbot.sandbox.pages import Page, Pages
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.refusals import Refusal, bad_body, not_allowed
from malexbot.sandbox.view import View
from malexbot.sandbox.world import World

_MOST_A_PAGE = 200
_DEFAULT_PAGE = 60


@dataclass(frozen=True)
class PostRoutes:
    world: World
    posts: Posts
    changes: Changes
    pages: Pages
    view: View
    hub: Hub
    faults: Faults

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/posts", self.create, is_locked=False)
        yield Route("POST", "/posts/ephemeral", self.whisper)
        yield Route("GET", "/posts/{post_id}", self.get)
        yield Route("PUT", "/posts/{post_id}", self.put)
        yield Route("DELETE", "/posts/{post_id}", self.delete)
        yield Route("PUT", "/posts/{post_id}/patch", self.patch)
        yield Route("POST", "/posts/{post_id}/pin", self.pin)
        yield Route("POST", "/posts/{post_id}/unpin", self.unpin)
        yield Route("GET", "/posts/{post_id}/thread", self.thread)
        yield Route("GET", "/posts/{post_id}/reactions", self.reactions)
        yield Route("GET", "/posts/{post_id}/files/info", self.files)
        yield Route("GET", "/channels/{channel_id}/posts", self.page)
        yield Route("GET", "/channels/{channel_id}/pinned", self.pinned)
        yield Route("POST", "/reactions", self.react)
        one = "/users/{user_id}/posts/{post_id}/reactions/{emoji_name}"
        yield Route("DELETE", one, self.unreact)

    # Writing.

    def create(self, call: Call) -> Result:
        """The moments before and after the saving can be struck by a fault."""
        draft = self._draft(call)
        with self.world.lock:
            self.world.require_channel(call.user, draft.channel_id, "create_post")
            self.posts.check_place(draft)
            first = self.posts.claim(draft.pending_post_id)
        if first is not None:
            return created(first)
        try:
            self.faults.wait_to_save()
            with self.world.lock:
                self.faults.strike_now("before")
                answer = self.posts.create(call.user, draft)
                self.hub.note_activity(call.request.token)
        except (Refusal, Unanswered):
            self.posts.abandon(draft.pending_post_id)
            raise
        self.faults.strike_now("after")
        return created(answer)

    def whisper(self, call: Call) -> Result:
        """Shown to one user and not kept; for admins only."""
        body = call.json("post")
        post = body.get("post")
        if not is_id(body.get("user_id")):
            raise bad_body("user_id")
        if not isinstance(post, dict):
            raise bad_body("post")
        self.world.require_admin(call.user, "create_post_ephemeral")
        draft = _given(post)
        self.world.channel(draft.channel_id)
        return created(self.posts.whisper(call.user, body["user_id"], draft))

    def put(self, call: Call) -> Result:
        body = call.json("post")
        if body.get("id") != call["post_id"]:
            raise bad_body("id")
        changes: Json = {"props": {}, "is_pinned": False, "file_ids": [], "message": ""}
        changes |= {k: v for k, v in body.items() if k in changes and v is not None}
        return self.changes.edit(self._editable(call), changes)

    def patch(self, call: Call) -> Result:
        return self.changes.edit(self._editable(call), call.json("post"))

    def pin(self, call: Call) -> Result:
        self.changes.edit(self._readable(call), {"is_pinned": True})
        return OK

    def unpin(self, call: Call) -> Result:
        self.changes.edit(self._readable(call), {"is_pinned": False})
        return OK

    def delete(self, call: Call) -> Result:
        post = self._known(call, "delete_post")
        if post.user_id != call.user.id and not call.user.is_admin:
            raise not_allowed(call.user.id, "delete_others_posts")
        self.changes.delete(post, call.user)
        return OK

    # Reading.

    def get(self, call: Call) -> Result:
        post = self._readable(call)
        version = self.world.settings.version
        headers = {"Etag": f"{version}.{post.id}.{post.update_at}"}
        shown = self.faults.rows({post.id: self.view.post(post)})
        return _json(shown[post.id], headers)

    def thread(self, call: Call) -> Result:
        return self._listing(self.pages.thread(self._readable(call)))

    def files(self, call: Call) -> Result:
        post = self._readable(call)
        return [self.world.files[file_id].as_dict() for file_id in post.file_ids]

    def pinned(self, call: Call) -> Result:
        channel_id = call["channel_id"]
        self.world.require_channel(call.user, channel_id, "read_channel")
        return self._listing(self.pages.pinned(channel_id))

    def page(self, call: Call) -> Result:
        """since beats after beats before; all but since share one ETag a channel."""
        query = call.query
        since_ms = _since(query.get("since", ""))
        for name in ("before", "after"):
            if query.get(name) and not is_id(query[name]):
                raise bad_body(name)
        channel_id = call["channel_id"]
        self.world.require_channel(call.user, channel_id, "read_channel")
        if since_ms > 0:
            return self._shown(self.pages.since(channel_id, since_ms))
        changed_at = self.pages.changed_at(channel_id)
        headers = {"Etag": f"{self.world.settings.version}.{changed_at}"}
        if call.request.headers.get("if-none-match") == headers["Etag"]:
            return Answer(304, headers=headers)
        return _json(self._shown(self._page(call, channel_id)), headers)

    def _shown(self, listing: Json) -> Json:
        return listing | {"posts": self.faults.rows(listing["posts"])}

    def _listing(self, listing: Json) -> Answer:
        """Its ETag names the first post, the one changed last, and when."""
        first = next(iter(listing["order"]), "")
        changes = [(post["update_at"], id) for id, post in listing["posts"].items()]
        changed_at, changed = max(changes, default=(0, "0"))
        version = self.world.settings.version
        headers = {"Etag": f"{version}.{first}.{changed}.{changed_at}"}
        return _json(self._shown(listing), headers)

    def _page(self, call: Call, channel_id: str) -> Json:
        size = min(call.number("per_page", _DEFAULT_PAGE), _MOST_A_PAGE)
        page = Page(call.number("page", 0), size)
        if call.query.get("after"):
            return self.pages.after(channel_id, call.query["after"], page)
        if call.query.get("before"):
            return self.pages.before(channel_id, call.query["before"], page)
        return self.pages.newest(channel_id, page)

    # Reactions.

    def reactions(self, call: Call) -> Result:
        return self.view.reactions(self._readable(call))

    def react(self, call: Call) -> Result:
        body = call.json("reaction")
        if body.get("user_id") != call.user.id:
            raise Refusal("api.reaction.save_reaction.user_id.app_error")
        emoji = body.get("emoji_name")
        if not isinstance(emoji, str) or not emoji or len(emoji) > 64:
            raise bad_body("reaction")
        post = self.world.live_post(str(body.get("post_id", "")))
        self.world.require_channel(call.user, post.channel_id, "add_reaction")
        return self.changes.react(call.user, post, emoji).as_dict()

    def unreact(self, call: Call) -> Result:
        if call["user_id"] != call.user.id:
            raise not_allowed(call.user.id, "remove_others_reactions")
        post = self.world.live_post(call["post_id"])
        self.world.require_channel(call.user, post.channel_id, "remove_reaction")
        self.changes.unreact(call.user, post, call["emoji_name"])
        return OK

    # What is asked for, and who may.

    def _draft(self, call: Call) -> Draft:
        """What is to be posted; an admin may date it."""
        draft = _given(call.json("post"))
        return draft if call.user.is_admin else replace(draft, create_at=0)

    def _known(self, call: Call, permission: str) -> Post:
        """Of unknown and deleted posts the server only says "not allowed"."""
        post = self.world.posts.get(call["post_id"])
        if post is None or not post.is_live:
            raise not_allowed(call.user.id, permission)
        self.world.require_channel(call.user, post.channel_id, permission)
        return post

    def _editable(self, call: Call) -> Post:
        post = self._known(call, "edit_post")
        if post.user_id != call.user.id and not call.user.is_admin:
            raise not_allowed(call.user.id, "edit_others_posts")
        return post

    def _readable(self, call: Call) -> Post:
        post = self.world.live_post(call["post_id"])
        channel = self.world.channels[post.channel_id]
        if not self._may_read(call.user, post, channel.team_id, channel.type):
            raise not_allowed(call.user.id, "read_channel")
        return post

    def _may_read(self, user: User, post: Post, team_id: str, type: str) -> bool:
        """A single post of a public channel is shown to the whole team."""
        if self.world.may_in_channel(user, post.channel_id):
            return True
        return type == "O" and self.world.team_member(team_id, user.id) is not None


def _given(body: Json) -> Draft:
    """Of the fields that are given, and not null, each must have its type."""
    names = ("message", "root_id", "type", "props", "pending_post_id")
    body = {k: v for k, v in body.items() if v is not None}
    given = {name: body[name] for name in names if name in body}
    try:
        return Draft(
            channel_id=body.get("channel_id", ""),
            file_ids=tuple(body.get("file_ids", ())),
            create_at=int(body.get("create_at", 0)),
            **given,
        ).checked()
    except (TypeError, ValueError) as error:
        raise bad_body("post") from error


def _since(text: str) -> int:
    try:
        return int(text) if text else 0
    except ValueError as error:
        raise bad_body("since") from error


def _json(body: Json, headers: dict[str, str]) -> Answer:
    return Answer(200, orjson.dumps(body), headers=headers)
