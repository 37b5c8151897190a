"""The chats: where answers go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Sent:
    """What the messenger made of it."""

    post_id: str
    is_repeat: bool = False
    """Yes: it was there already; nothing was sent twice."""


class Chat(Protocol):
    """One messenger, as a place to write to.

    What is sent is {channel_id or user_id, message, root_id?}, what reacts
    {channel_id, post_id, emoji}. To be shut out for now is Transient.
    """

    @property
    def longest_text(self) -> int:
        """How many characters one message may have."""
        ...

    @property
    def timeout_s(self) -> float:
        """No call takes longer."""
        ...

    def send(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        """Post once; the same key within 25 s gives the same post.

        Raises Transient or Permanent if nothing was posted, else Uncertain.
        """
        ...

    def find(
        self, payload: Mapping[str, Any], *, key: str, ago_s: float
    ) -> Sent | None:
        """Look whether an uncertain send, begun so many seconds ago, did arrive."""
        ...

    def react(self, payload: Mapping[str, Any]) -> None: ...
