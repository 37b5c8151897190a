"""What can go wrong with a call to Mattermost, and what that means for a repeat."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from malexbot.errors import MalexbotError, Permanent, Transient, Uncertain

SESSION_EXPIRED = "api.context.session_expired.app_error"
UNKNOWN_ENDPOINT = "api.context.404.app_error"
# A server or proxy that asks for more is not believed.
LONGEST_WAIT_S = 300.0
# Above this a "seconds to go" is a date: 12 days, or 1970-01-12.
EPOCH_FROM = 1e6


class Answer(NamedTuple):
    """What a refusal said; `status` is 0 where no answer came at all."""

    status: int = 0
    id: str = ""
    message: str = ""
    request_id: str = ""
    retry_after_s: float | None = None

    def __str__(self) -> str:
        ids = (self.id, self.request_id and f"request {self.request_id}")
        told = ", ".join(word for word in ids if word)
        return f"{self.status} {self.message}" + (f" ({told})" if told else "")


class Failure(MalexbotError):
    """A call to Mattermost did not do what it should; `answer` tells the server's."""

    def __init__(self, call: str, answer: Answer | str) -> None:
        super().__init__(call, answer)
        self.answer = Answer() if isinstance(answer, str) else answer

    def __str__(self) -> str:
        return "Mattermost, {}: {}".format(*self.args)

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def id(self) -> str:
        return self.answer.id

    @property
    def request_id(self) -> str:
        return self.answer.request_id

    @property
    def retry_after_s(self) -> float | None:
        return self.answer.retry_after_s


class Unreachable(Failure, Transient):
    """Nobody there, or the line broke under a call that may be repeated."""


class Busy(Failure, Transient):
    """The server is there and cannot now: 429, 5xx, a page of a proxy."""


class Unauthorised(Failure, Transient):
    """The token is refused; a bot that is enabled again has the same one."""

    @property
    def is_session_expired(self) -> bool:
        """Yes: Mattermost itself says so. No: something in front of it does."""
        return self.answer.id == SESSION_EXPIRED


class Rejected(Failure, Permanent):
    """The server understood, and will say the same next time."""


class Forbidden(Rejected):
    """Not a member, no right to it, or it does not exist."""


class Missing(Rejected):
    """It does not exist, or not any more."""


class Unclear(Failure, Uncertain):
    """The request left, and nobody can tell whether it was done."""


def failure(
    call: str, answer: Answer, *, is_json: bool, is_repeatable: bool
) -> Failure:
    """The error that a status other than 2xx means."""
    if answer.status == 401:
        return Unauthorised(call, answer)
    if answer.status in (403, 404):
        return _refusal(is_json, answer)(call, answer)
    if answer.status in (408, 429, 503):
        return Busy(call, answer)
    if answer.status >= 500 and answer.status != 501:
        # Mattermost's own word that it was not done, or that the same is under way.
        is_told = is_json and answer.status == 500
        return (Busy if is_told or is_repeatable else Unclear)(call, answer)
    return Rejected(call, answer)


def _refusal(is_json: bool, answer: Answer) -> type[Failure]:
    """A page of HTML is the word of a proxy: nothing is missing because of it."""
    if not is_json:
        return Busy
    if answer.id == UNKNOWN_ENDPOINT:
        return Rejected
    return Forbidden if answer.status == 403 else Missing


def answer(status: int, body: object, text: str, headers: Mapping[str, str]) -> Answer:
    """What a refusal says; never its `detailed_error`, which may show the token."""
    told: Mapping[str, Any] = body if isinstance(body, dict) else {}
    message = told.get("message") or " ".join(text[:200].split())
    if 300 <= status < 400:
        message = f"moved to {headers.get('Location', 'somewhere')}; write that address"
    return Answer(
        status=status,
        id=str(told.get("id", "")),
        message=str(message),
        request_id=str(told.get("request_id") or headers.get("X-Request-Id", "")),
        retry_after_s=retry_after_s(headers.get("Retry-After", "")),
    )


def retry_after_s(text: str) -> float | None:
    """`Retry-After`: seconds, a time, or a date; None when it tells nothing."""
    seconds = seconds_to_go(text)
    if seconds is None and text:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT_S)


def seconds_to_go(text: str) -> float | None:
    """The largest number of "6, 6", as each limit of the server adds its own."""
    most = max(numbers(text), default=None)
    if most is None:
        return None
    return most - time.time() if most > EPOCH_FROM else most


def numbers(text: str) -> list[float]:
    """The numbers of a header, which may hold several; none if it holds other words."""
    try:
        return [n for n in map(float, text.split(",")) if math.isfinite(n)]
    except ValueError:
        return []


def gist(error: BaseException) -> str:
    """Its words without what is new each time: equal if it is the same once more."""
    request_id = getattr(error, "request_id", "")
    return str(error).replace(request_id, "") if request_id else str(error)
