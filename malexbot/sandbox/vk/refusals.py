"""What VK says instead of an answer, in its own words and shape."""

from __future__ import annotations

from collections.abc import Mapping

from malexbot.errors import MalexbotError
from malexbot.sandbox.model import Json

MESSAGES = {
    1: "Unknown error occurred",
    3: "Unknown method passed",
    5: "User authorization failed: invalid access_token (4).",
    6: "Too many requests per second",
    8: "Invalid request: v (version) is required",
    9: "Flood control",
    10: "Internal server error: could not check access_token now, check later.",
    14: "Captcha needed",
    15: "Access denied",
    17: "Validation required: please open redirect_uri in browser",
    27: "Group authorization failed: method is unavailable with group auth.",
    28: "Application authorization failed",
    29: "Rate limit reached",
    32: "Need wait",
    43: "This section is temporary unavailable",
    100: "One of the parameters specified was missing or invalid",
    113: "Invalid user id",
    901: "Can't send messages for users without permission",
    909: "Can't edit this message, because it's too old",
    914: "Message is too long",
    917: "You don't have access to this chat",
    925: "You are not admin of this chat",
}
# They are shown with what would solve them.
_MORE: dict[int, Json] = {
    14: {"captcha_sid": "112140872123", "captcha_img": "https://vk.example/captcha"},
    17: {"redirect_uri": "https://vk.example/validate"},
}


class Refusal(MalexbotError):
    """A call is answered with this error."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.message = MESSAGES.get(code, "Unknown error occurred")
        if detail:
            self.message = f"{self.message}: {detail}"


def body(refusal: Refusal, method: str, params: Mapping[str, str]) -> Json:
    """The whole answer; it repeats what was asked, but for the token."""
    shown = {"method": method, "oauth": "1", **params}
    shown.pop("access_token", None)
    asked = [{"key": key, "value": value} for key, value in shown.items()]
    error = {"error_code": refusal.code, "error_msg": refusal.message}
    return {"error": {**error, **_MORE.get(refusal.code, {}), "request_params": asked}}
