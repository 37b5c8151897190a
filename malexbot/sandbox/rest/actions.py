"""Buttons, menus and dialogs of posts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from malexbot.sandbox.buttons import Buttons, Press
from malexbot.sandbox.call import OK, Call, Result, Route
from malexbot.sandbox.dialogs import Dialogs


@dataclass(frozen=True)
class ActionRoutes:
    buttons: Buttons
    dialogs: Dialogs

    def routes(self) -> Iterator[Route]:
        press = "/posts/{post_id}/actions/{action}"
        yield Route("POST", press, self.press, is_locked=False)
        yield Route("POST", "/actions/dialogs/open", self.open, is_public=True)
        yield Route("POST", "/actions/dialogs/submit", self.submit, is_locked=False)

    def press(self, call: Call) -> Result:
        body = call.json("action_request") if call.request.body else {}
        press = Press(
            post_id=call["post_id"],
            action_id=call["action"],
            option=str(body.get("selected_option") or ""),
            cookie=str(body.get("cookie") or ""),
        )
        return OK | {"trigger_id": self.buttons.press(call.user, press)}

    def open(self, call: Call) -> Result:
        self.dialogs.open(call.json("dialog"))
        return OK

    def submit(self, call: Call) -> Result:
        return self.dialogs.submit(call.user, call.json("dialog"))
