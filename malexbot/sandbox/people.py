"""Users, bots, tokens and statuses."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.events import Event
from malexbot.sandbox.model import Json, Token, User
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World

_CHANGEABLE = (*("nickname", "first_name", "last_name", "position", "email", "locale"),)


@dataclass(frozen=True)
class People:
    """Who is there, and with which keys they come in."""

    world: World

    def create_user(
        self,
        username: str,
        *,
        email: str = "",
        password: str = "",
        first_name: str = "",
        last_name: str = "",
        is_admin: bool = False,
    ) -> User:
        """The first user of all becomes the system's admin, as on a real server."""
        self._require_free(username)
        now = self.world.now_ms()
        is_first = not any(not user.is_bot for user in self.world.users)
        is_admin = is_admin or is_first
        user = User(
            id=new_id(),
            create_at=now,
            update_at=now,
            username=username,
            email=email or f"{username}@example.com",
            password=password,
            first_name=first_name,
            last_name=last_name,
            roles="system_admin system_user" if is_admin else "system_user",
        )
        return self._add(user)

    def create_bot(
        self,
        username: str,
        *,
        display_name: str = "",
        description: str = "",
        owner_id: str = "",
    ) -> User:
        self._require_free(username)
        now = self.world.now_ms()
        bot = User(
            id=new_id(),
            create_at=now,
            update_at=now,
            username=username,
            email=f"{username}@localhost",
            first_name=display_name,
            is_bot=True,
            bot_description=description,
            owner_id=owner_id,
        )
        return self._add(bot)

    def change_user(self, user: User, changes: Json) -> User:
        for name in _CHANGEABLE:
            if name in changes:
                setattr(user, name, str(changes[name]))
        return self._changed(user)

    def set_roles(self, user: User, roles: str) -> User:
        user.roles = roles
        return self._changed(user)

    def rename(self, user: User, username: str) -> User:
        if username != user.username:
            self._require_free(username)
        self.world.index.user_ids.pop(user.username.lower(), None)
        self.world.index.user_ids[username.lower()] = user.id
        user.username = username
        return self._changed(user)

    def set_disabled(self, user: User, disabled: bool) -> User:
        """Its tokens stop working (and work again when it is enabled)."""
        user.update_at = self.world.now_ms()
        user.delete_at = user.update_at if disabled else 0
        self.world.users.put(user)
        if disabled:
            self.set_status(user, "offline")
        return user

    def create_token(self, user: User, description: str = "") -> Token:
        token = Token(
            id=new_id(), token=new_id(), user_id=user.id, description=description
        )
        self.world.index.token_ids[token.token] = token.id
        return self.world.tokens.put(token)

    def revoke_token(self, token_id: str) -> None:
        token = self._token(token_id)
        self.world.tokens.drop(token.id)
        self.world.index.token_ids.pop(token.token, None)

    def set_token_active(self, token_id: str, is_active: bool) -> None:
        token = self._token(token_id)
        token.is_active = is_active
        self.world.tokens.put(token)

    def login(self, login_id: str, password: str) -> tuple[User, Token]:
        user = self.world.user_by_name(login_id)
        if user is None or user.is_bot or not password or user.password != password:
            raise Refusal("api.user.login.invalid_credentials_email_username")
        return user, self.create_token(user, "session")

    def set_status(self, user: User, status: str) -> None:
        """Tell the user's own sockets; a status that stays the same is not told."""
        if user.status == status:
            return
        user.status = status
        self.world.users.put(user)
        data: Json = {"status": status, "user_id": user.id}
        self.world.publish(Event("status_change", data, user_id=user.id))

    def _add(self, user: User) -> User:
        self.world.users.put(user)
        self.world.index.user_ids[user.username.lower()] = user.id
        self.world.publish(Event("new_user", {"user_id": user.id}))
        return user

    def _changed(self, user: User) -> User:
        user.update_at = self.world.now_ms()
        self.world.users.put(user)
        self.world.publish(Event("user_updated", {"user": user.as_dict()}))
        return user

    def _require_free(self, username: str) -> None:
        if self.world.user_by_name(username) is not None:
            raise Refusal("app.user.save.username_exists.app_error")

    def _token(self, token_id: str) -> Token:
        token = self.world.tokens.get(token_id)
        if token is None:
            raise Refusal("app.user_access_token.get_by_user.app_error")
        return token
