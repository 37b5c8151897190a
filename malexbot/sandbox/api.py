"""From a request to its answer: who asks, what, and how errors look."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from email.utils import formatdate

import orjson

from malexbot.sandbox.call import PREFIX, Answer, Call, Request, Router
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.limit import RateLimit
from malexbot.sandbox.model import User
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.render import render
from malexbot.sandbox.world import World

_PLAIN = "text/plain; charset=utf-8"
_NO_UPGRADE = (
    "websocket: the client is not using the websocket protocol: "
    "'upgrade' token not found in 'Connection' header"
)
_NOBODY = User(id="", create_at=0, update_at=0, username="")


class Api:
    """Answers one request at a time, under the world's lock."""

    def __init__(self, world: World, router: Router) -> None:
        self._world = world
        self._router = router
        self._limit = RateLimit(world.settings)

    def answer(self, request: Request) -> bytes:
        """The whole response, head and all."""
        limited = self._limit.check(request.token)
        if limited.is_over:
            return render(request, _limit_exceeded(limited.headers))
        return render(request, self._answer(request), limited.headers)

    def limited(self, request: Request) -> bytes | None:
        """The 429, if this request is one too many."""
        limited = self._limit.check(request.token)
        if limited.is_over:
            return render(request, _limit_exceeded(limited.headers))
        return None

    def no_upgrade(self, request: Request) -> bytes:
        """A plain request for the websocket: JSON behind text, and two statuses."""
        refusal = Refusal("api.web_socket.connect.upgrade.app_error", _NO_UPGRADE)
        request_id = new_id()
        error = self._refused(request, refusal, request_id)
        plain = {
            "Sec-Websocket-Version": "13",
            "X-Content-Type-Options": "nosniff",
        }
        answer = Answer(400, b"Bad Request\n" + error.body, _PLAIN, plain)
        return render(request, self._dressed(request, answer, request_id))

    def _answer(self, request: Request) -> Answer:
        request_id = new_id()
        try:
            answer = self._route(request)
        except Refusal as refusal:
            answer = self._refused(request, refusal, request_id)
        if answer.is_bare:
            return answer
        return self._dressed(request, answer, request_id)

    def _dressed(self, request: Request, answer: Answer, request_id: str) -> Answer:
        """With the headers that all answers of the API have."""
        headers = {
            "X-Request-Id": request_id,
            "X-Version-Id": self._world.settings.version_id,
            "Date": formatdate(self._world.now_ms() / 1000, usegmt=True),
        }
        if request.path.startswith(PREFIX):
            headers["Vary"] = "Accept-Encoding"
        if request.method == "GET":
            headers["Expires"] = "0"
        return replace(answer, headers=headers | answer.headers)

    def _route(self, request: Request) -> Answer:
        found = self._router.find(request.method, request.path)
        if found is None:
            return _no_such_page(request)
        route, params = found
        lock = self._world.lock if route.is_locked else nullcontext()
        with lock:
            user = self._guest(request) if route.is_public else self._user(request)
            result = route.handler(Call(request, user, params, request.query))
            if isinstance(result, Answer):
                return result
            return Answer(200, orjson.dumps(result))

    def _guest(self, request: Request) -> User:
        """Where anybody may ask, a token that is no good does not matter."""
        return self._world.user_of_token(request.token) or _NOBODY

    def _user(self, request: Request) -> User:
        token = request.token
        if not token and "access_token" in request.query:
            raise Refusal(
                "api.context.token_provided.app_error",
                f"token={request.query['access_token']}",
                message="Session is not OAuth but token was provided "
                "in the query string.",
                status=401,
            )
        user = self._world.user_of_token(token)
        if user is None:
            detail = f"token={token}" if token else "UserRequired"
            raise Refusal("api.context.session_expired.app_error", detail)
        return user

    def _refused(self, request: Request, refusal: Refusal, request_id: str) -> Answer:
        if refusal.id == "api.context.404.app_error":
            return _no_such_page(request)
        is_developer = self._world.settings.is_developer
        body = {
            "id": refusal.id,
            "message": refusal.message,
            "detailed_error": refusal.detail if is_developer else "",
            "request_id": request_id,
            "status_code": refusal.status,
        }
        headers = {}
        if refusal.status == 401 and request.token:
            headers["Set-Cookie"] = "MMAUTHTOKEN=; Path=/; Max-Age=0; HttpOnly"
        return Answer(refusal.status, orjson.dumps(body), headers=headers)


def _no_such_page(request: Request) -> Answer:
    detail = (
        f"There doesn't appear to be an api call for the url={request.path!r}.  "
        "Typo? are you missing a team_id or user_id as part of the url?"
    )
    refusal = Refusal("api.context.404.app_error", detail)
    body = {
        "id": refusal.id,
        "message": refusal.message,
        "detailed_error": detail if request.path.startswith(PREFIX) else "",
        "status_code": refusal.status,
    }
    return Answer(404, orjson.dumps(body), _PLAIN, is_bare=True)


def _limit_exceeded(headers: list[tuple[str, str]]) -> Answer:
    more = dict(headers) | {"X-Content-Type-Options": "nosniff"}
    return Answer(429, b"limit exceeded\n", _PLAIN, more, is_bare=True)
