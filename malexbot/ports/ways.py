"""Ways to answer that a slash command brings along, which do not last."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Use(NamedTuple):
    """An answer may go this way."""

    is_repeat: bool
    """Yes: it went this way before, and nobody knows whether it came through."""


class AnswerWays(Protocol):
    """Mattermost takes five answers in half an hour by a response_url."""

    def use(self, event_id: str, *, key: str) -> Use | None:
        """Note that the answer with this key is about to go the way of this event.

        None: too many others did, or it is too late. Raises Transient.
        """
        ...
