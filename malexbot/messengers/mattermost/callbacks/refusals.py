"""Why a call is refused: told to the operator, and to nobody outside."""

from __future__ import annotations

from malexbot.errors import MalexbotError


class Refused(MalexbotError):
    """Who calls has no right to; the message says why, with the ids that it gave."""


class Unfit(MalexbotError):
    """The call is not such as Mattermost makes."""


class Own(MalexbotError):
    """The bot itself set it off: whoever answers that answers himself for ever."""
