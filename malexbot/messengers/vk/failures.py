"""What can go wrong with a call to VK, and what that means for a repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from malexbot.errors import MalexbotError, Permanent, Transient, Uncertain

UNKNOWN, TOO_FAST, FLOOD, INTERNAL = 1, 6, 9, 10
RATE_LIMIT, NEED_WAIT, SECTION_OFF = 29, 32, 43
CAPTCHA, VALIDATION, CONFIRMATION = 14, 17, 24
# What may be tried again, and after how long; None leaves that to the back-off.
WAITS_S: Mapping[int, float | None] = {
    UNKNOWN: None,
    # All calls of the token share this limit, of 20 a second.
    TOO_FAST: 1.0,
    # Too much of the same for one conversation.
    FLOOD: 30.0,
    INTERNAL: None,
    # It is the method's, and who goes on asking stays out for hours.
    RATE_LIMIT: 300.0,
    NEED_WAIT: 5.0,
    SECTION_OFF: 300.0,
}
# Those of the token, and of a method.
LIMITS = frozenset({TOO_FAST, RATE_LIMIT})
# After these nobody can tell whether the call did its work.
UNCLEAR = frozenset({UNKNOWN, INTERNAL})
# The token is refused, or may not do this at all.
OF_TOKEN = frozenset({5, 27, 28, 1116, 1117})
FORBIDDEN_TO_WRITE = frozenset({900, 901, 902})
NO_ACCESS = frozenset({7, 15, 917, 925, 927, 945, 946})

_CURES = {
    5: "write a valid vk.token",
    15: "give the token the right to it (Manage > API usage > Access tokens)",
    27: "that needs the token of a person, not of a community",
    28: "write a community's token to vk.token",
    CAPTCHA: "VK wants a captcha solved: sign in as the community's owner",
    VALIDATION: "VK wants the owner to sign in and confirm",
    CONFIRMATION: "VK wants the owner to sign in and confirm",
    901: "they have to write to the community first",
    902: "their privacy settings forbid it",
    917: "the community is not in that chat any more",
}


class Answer(NamedTuple):
    """What a refusal said; `code` is 0 where VK itself said nothing."""

    code: int = 0
    message: str = ""
    status: int = 200

    def __str__(self) -> str:
        cure = _CURES.get(self.code)
        told = f"{self.code or self.status} {self.message}"
        return f"{told} ({cure})" if cure else told


class Failure(MalexbotError):
    """A call to VK did not do what it should; `answer` tells VK's."""

    def __init__(self, call: str, answer: Answer | str) -> None:
        super().__init__(call, answer)
        self.answer = Answer() if isinstance(answer, str) else answer

    def __str__(self) -> str:
        return "VK, {}: {}".format(*self.args)

    @property
    def code(self) -> int:
        return self.answer.code

    @property
    def retry_after_s(self) -> float | None:
        return WAITS_S.get(self.answer.code)


class Unreachable(Failure, Transient):
    """Nobody there, or the line broke under a call that may be repeated."""


class Busy(Failure, Transient):
    """VK is there and cannot now; or something before it answers in its place."""


class Crowded(Busy):
    """A limit is met: what is above it waits, in its order, for no fault of its own."""

    @property
    def is_of_target(self) -> bool:
        return True


class Rejected(Failure, Permanent):
    """VK understood, and will say the same next time."""


class Unauthorised(Rejected):
    """The token is refused."""


class Forbidden(Rejected):
    """No right to it, or not in that chat."""


class Unclear(Failure, Uncertain):
    """The request left, and nobody can tell whether it was done."""


def refusal(call: str, error: Any, *, is_repeatable: bool) -> Failure:
    """The error that VK's own word for it means."""
    told = read(error)
    if told.code in UNCLEAR and not is_repeatable:
        return Unclear(call, told)
    if told.code in LIMITS:
        return Crowded(call, told)
    if told.code in WAITS_S:
        return Busy(call, told)
    if told.code in OF_TOKEN:
        return Unauthorised(call, told)
    if told.code in NO_ACCESS or told.code in FORBIDDEN_TO_WRITE:
        return Forbidden(call, told)
    return Rejected(call, told)


def read(error: Any) -> Answer:
    """Of a whole call, or of one of its peers, which are written another way."""
    if not isinstance(error, Mapping):
        return Answer(UNKNOWN, "an error that tells nothing")
    code = error.get("error_code", error.get("code"))
    message = error.get("error_msg", error.get("description"))
    is_code = isinstance(code, int) and not isinstance(code, bool)
    return Answer(code if is_code else UNKNOWN, str(message or "")[:300])


def gist(error: BaseException) -> str:
    """Its words: equal if it is the same once more."""
    return str(error)
