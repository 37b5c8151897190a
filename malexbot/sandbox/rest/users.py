"""Users, bots, tokens, statuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from malexbot.sandbox.call import OK, Answer, Call, Result, Route, created
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.model import Json, Token, User
from malexbot.sandbox.people import People
from malexbot.sandbox.refusals import Refusal, bad_body, not_allowed
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Users:
    world: World
    people: People
    hub: Hub

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/users", self.create, is_public=True)
        yield Route("POST", "/users/login", self.login, is_public=True)
        yield Route("POST", "/users/ids", self.by_ids)
        yield Route("POST", "/users/usernames", self.by_usernames)
        yield Route("POST", "/users/tokens/revoke", self.revoke_token)
        yield Route("POST", "/users/tokens/disable", self.disable_token)
        yield Route("POST", "/users/tokens/enable", self.enable_token)
        yield Route("GET", "/users/username/{username}", self.by_username)
        yield Route("GET", "/users/{user_id}", self.get)
        yield Route("PUT", "/users/{user_id}", self.put)
        yield Route("PUT", "/users/{user_id}/patch", self.patch)
        yield Route("PUT", "/users/{user_id}/roles", self.roles)
        yield Route("GET", "/users/{user_id}/status", self.status)
        yield Route("PUT", "/users/{user_id}/status", self.set_status)
        yield Route("POST", "/users/{user_id}/tokens", self.create_token)
        yield Route("POST", "/bots", self.create_bot)
        yield Route("GET", "/bots/{bot_id}", self.get_bot)
        yield Route("POST", "/bots/{bot_id}/disable", self.disable_bot)
        yield Route("POST", "/bots/{bot_id}/enable", self.enable_bot)

    # Users.

    def create(self, call: Call) -> Result:
        body = call.json("user")
        user = self.people.create_user(
            call.text("username", "user"),
            email=body.get("email", ""),
            password=body.get("password", ""),
            first_name=body.get("first_name", ""),
            last_name=body.get("last_name", ""),
        )
        return created(user.as_dict(is_private=True))

    def login(self, call: Call) -> Result:
        body = call.json("login")
        login_id, password = body.get("login_id", ""), body.get("password", "")
        user, token = self.people.login(str(login_id), str(password))
        headers = {
            "Token": token.token,
            "Set-Cookie": f"MMAUTHTOKEN={token.token}; Path=/; HttpOnly",
        }
        shown = orjson.dumps(user.as_dict(is_private=True))
        return Answer(200, shown, headers=headers)

    def get(self, call: Call) -> Result:
        return self._shown(call.user, self.world.user(call["user_id"]))

    def by_username(self, call: Call) -> Result:
        name = call["username"]
        user = self.world.user_by_name(name)
        if user is None:
            detail = f"resource: User id: username={name}"
            raise Refusal("app.user.get_by_username.app_error", detail)
        return self._shown(call.user, user)

    def by_ids(self, call: Call) -> Result:
        """Unknown ones are left out."""
        users = map(self.world.users.get, call.strings("user_ids"))
        return [user.as_dict() for user in users if user is not None]

    def by_usernames(self, call: Call) -> Result:
        users = map(self.world.user_by_name, call.strings("usernames"))
        return [user.as_dict() for user in users if user is not None]

    def put(self, call: Call) -> Result:
        body = call.json("user")
        if "id" not in body:
            raise bad_body("user_id")
        return self._change(call, body)

    def patch(self, call: Call) -> Result:
        return self._change(call, call.json("user"))

    def roles(self, call: Call) -> Result:
        self.world.require_admin(call.user, "manage_roles")
        user = self.world.user(call["user_id"])
        self.people.set_roles(user, call.text("roles", "roles"))
        return OK

    def status(self, call: Call) -> Result:
        return _status(self.world.user(call["user_id"]))

    def set_status(self, call: Call) -> Result:
        user = self._own(call, "edit_other_users")
        self.people.set_status(user, call.text("status", "status"))
        return _status(user) | {
            "manual": True,
            "last_activity_at": self.world.now_ms(),
        }

    # Tokens.

    def create_token(self, call: Call) -> Result:
        user = self._own(call, "create_user_access_token")
        description = call.text("description", "description")
        return self.people.create_token(user, description).as_dict()

    def revoke_token(self, call: Call) -> Result:
        self.people.revoke_token(self._token(call).id)
        return OK

    def disable_token(self, call: Call) -> Result:
        self.people.set_token_active(self._token(call).id, False)
        return OK

    def enable_token(self, call: Call) -> Result:
        self.people.set_token_active(self._token(call).id, True)
        return OK

    # Bots.

    def create_bot(self, call: Call) -> Result:
        self.world.require_admin(call.user, "create_bot")
        body = call.json("bot")
        bot = self.people.create_bot(
            call.text("username", "bot"),
            display_name=body.get("display_name", ""),
            description=body.get("description", ""),
            owner_id=call.user.id,
        )
        return created(bot.as_bot())

    def get_bot(self, call: Call) -> Result:
        return self._bot(call).as_bot()

    def disable_bot(self, call: Call) -> Result:
        return self._switch_bot(call, True)

    def enable_bot(self, call: Call) -> Result:
        return self._switch_bot(call, False)

    def _switch_bot(self, call: Call, disabled: bool) -> Result:
        bot = self.people.set_disabled(self._bot(call), disabled)
        self.hub.invalidate(bot.id)
        return bot.as_bot()

    def _bot(self, call: Call) -> User:
        """Bots are shown to admins only; to a bot even it itself is not."""
        bot = self.world.users.get(call["bot_id"])
        if bot is None or not bot.is_bot or not call.user.is_admin:
            raise Refusal("store.sql_bot.get.missing.app_error")
        return bot

    # Who may.

    def _change(self, call: Call, changes: Json) -> Result:
        user = self._own(call, "edit_other_users")
        if changes.get("username"):
            self.people.rename(user, str(changes["username"]))
        self.people.change_user(user, changes)
        return user.as_dict(is_private=True)

    def _own(self, call: Call, permission: str) -> User:
        user = self.world.user(call["user_id"])
        if user.id != call.user.id and not call.user.is_admin:
            raise not_allowed(call.user.id, permission)
        return user

    def _token(self, call: Call) -> Token:
        token_id = call.text("token_id", "token_id")
        token = self.world.tokens.get(token_id)
        if token is None:
            raise Refusal("app.user_access_token.get_by_user.app_error")
        if token.user_id != call.user.id and not call.user.is_admin:
            raise not_allowed(call.user.id, "revoke_user_access_token")
        return token

    def _shown(self, viewer: User, user: User) -> Answer:
        version = self.world.settings.version
        etag = f"{version}.{user.id}.{user.update_at}..0.true.true.0"
        shown = user.as_dict(is_private=viewer.id == user.id)
        return Answer(200, orjson.dumps(shown), headers={"Etag": etag})


def _status(user: User) -> Json:
    return {
        "user_id": user.id,
        "status": user.status,
        "manual": False,
        "last_activity_at": 0,
        "dnd_end_time": 0,
    }
