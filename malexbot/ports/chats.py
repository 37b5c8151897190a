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

    What is sent is {channel_id or user_id, message, root_id?, file_ids?, cards?}, what
    reacts {channel_id, post_id, emoji}. To be shut out for now is Transient.

    Cards are those of ports.forms as maps; each control says of what `kind` it is,
    button or menu, and has its `ref`, but neither payload nor users.
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

    def edit(self, payload: Mapping[str, Any]) -> None:
        """{post_id, message, cards?}: without cards, those that it has stay."""
        ...

    def answer(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        """Answer, too late for the HTTP call, whoever gave a command or pressed.

        {event_id, kind, user_id, channel_id, post_id?, response_url?, message,
        in_channel, cards, update?: {message, cards}, error?, errors?, root_id?}.
        Raises as `send`.
        """
        ...

    def open_dialog(self, payload: Mapping[str, Any]) -> None:
        """{trigger_id, ref, action, title, introduction, submit_label, tells_cancel,
        fields, asked}; a trigger lives for some seconds.
        """
        ...

    def upload(self, payload: Mapping[str, Any]) -> str:
        """{channel_id or user_id, name, content}, which is base64.

        Returns the id of the file for the `file_ids` of what is sent there; one that
        is in no message is seen by nobody, so it may be uploaded again.
        """
        ...


def fits_call(event_type: str, payload: Mapping[str, Any]) -> bool:
    """Yes: the HTTP call that waits for it can take this answer, all of it.

    A command and a hook take a message with cards, a button takes a text for who
    pressed and what becomes of its message, a dialog takes errors only.
    """
    if event_type == "button":
        return not (payload.get("cards") or payload.get("in_channel"))
    if event_type == "dialog":
        return not (payload.get("message") or payload.get("cards"))
    return True
