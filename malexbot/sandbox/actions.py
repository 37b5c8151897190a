"""The actions that a client may send over its websocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from malexbot.sandbox.clock import is_id
from malexbot.sandbox.connection import Connection
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.model import Json
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.world import World


class Hang(Exception):
    """The server closes the TCP line without a word."""


class Actions:
    """Reads a message, does what it asks, and answers through the hub."""

    def __init__(self, world: World, rooms: Rooms, hub: Hub) -> None:
        self._world = world
        self._rooms = rooms
        self._hub = hub
        self._known: dict[str, Callable[[Connection, Json], Any]] = {
            "ping": self._ping,
            "user_typing": self._typing,
            "get_statuses": self._statuses,
            "get_statuses_by_ids": self._statuses_by_ids,
            "user_update_active_status": self._active_status,
        }

    def handle(self, connection: Connection, message: bytes) -> None:
        try:
            request = orjson.loads(message)
        except orjson.JSONDecodeError as error:
            raise Hang from error
        if not isinstance(request, dict):
            raise Hang
        with self._world.lock:
            self._route(connection, request)

    def _route(self, connection: Connection, request: Json) -> None:
        sequence = request.get("seq", 0)
        if not isinstance(sequence, int):
            raise Hang
        data = request.get("data")
        action = request.get("action", "")
        try:
            if action == "authentication_challenge":
                self._log_in(connection, sequence, data)
                return
            self._check(connection, action, sequence)
            answer = self._known[action](connection, data or {})
            self._answer(connection, sequence, answer)
        except Refusal as refusal:
            self._refuse(connection, sequence, refusal)

    def _check(self, connection: Connection, action: str, sequence: int) -> None:
        router = "api.web_socket_router"
        if not action:
            message = "No websocket action."
            raise Refusal(f"{router}.no_action.app_error", message=message, status=400)
        if sequence <= 0:
            message = "Invalid sequence for WebSocket message."
            raise Refusal(f"{router}.bad_seq.app_error", message=message, status=400)
        if not self._hub.is_authenticated(connection):
            raise Refusal(
                f"{router}.not_authenticated.app_error",
                message="WebSocket connection is not authenticated. Please log in.",
                status=401,
            )
        if action not in self._known:
            message = "Unknown WebSocket action."
            raise Refusal(f"{router}.bad_action.app_error", message=message, status=500)
        if self._world.user_of_token(connection.token) is None:
            raise Refusal(
                "api.context.invalid_token.error",
                message=f"Invalid session token={connection.token}, err=",
                status=401,
            )

    def _log_in(self, connection: Connection, sequence: int, data: Any) -> None:
        """A second login is ignored; a wrong one ends the line."""
        if connection.token:
            return
        token = data.get("token") if isinstance(data, dict) else None
        user = self._world.user_of_token(token) if isinstance(token, str) else None
        if user is None:
            raise Hang
        connection.token, connection.user_id = str(token), user.id
        self._hub.register(connection)
        self._answer(connection, sequence, None)
        self._hub.greet_user(connection)

    def _answer(self, connection: Connection, sequence: int, data: Any) -> None:
        answer: Json = {"status": "OK", "seq_reply": sequence}
        if data is not None:
            answer["data"] = data
        self._hub.reply(connection, orjson.dumps(answer) + b"\n")

    def _refuse(self, connection: Connection, sequence: int, refusal: Refusal) -> None:
        answer: Json = {"status": "FAIL"}
        if sequence:
            answer["seq_reply"] = sequence
        answer["error"] = {
            "id": refusal.id,
            "message": refusal.message,
            "detailed_error": "",
            "status_code": refusal.status,
        }
        self._hub.reply(connection, orjson.dumps(answer) + b"\n")

    # The actions.

    def _ping(self, connection: Connection, data: Json) -> Json:
        return {
            "node_id": "",
            "server_time": self._world.now_ms(),
            "text": "pong",
            "version": self._world.settings.version,
        }

    def _typing(self, connection: Connection, data: Json) -> None:
        channel_id = data.get("channel_id")
        if not is_id(channel_id):
            raise _bad_param("channel_id")
        if self._world.member(str(channel_id), connection.user_id) is None:
            raise _bad_param("channel_id")
        user = self._world.user(connection.user_id)
        self._rooms.typing(user, str(channel_id), str(data.get("parent_id") or ""))

    def _statuses(self, connection: Connection, data: Json) -> Json:
        """Of all who are not offline."""
        here = (user for user in self._world.users if user.status != "offline")
        return {user.id: user.status for user in here}

    def _statuses_by_ids(self, connection: Connection, data: Json) -> Json:
        ids = data.get("user_ids")
        if not isinstance(ids, list) or not ids:
            raise _bad_param("user_ids")
        users = self._world.users
        return {
            id: users[id].status if id in users else "offline" for id in sorted(ids)
        }

    def _active_status(self, connection: Connection, data: Json) -> None:
        if not isinstance(data.get("user_is_active"), bool):
            raise _bad_param("user_is_active")


def _bad_param(name: str) -> Refusal:
    return Refusal(
        "api.websocket_handler.invalid_param.app_error",
        message=f"Invalid {name} parameter.",
        status=400,
    )
