"""VK as a place to write to: each message is there once, whatever breaks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from malexbot.errors import Permanent
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.failures import FORBIDDEN_TO_WRITE, Forbidden, Rejected
from malexbot.messengers.vk.forms import (
    LONGEST_TOLD,
    NO_KEYBOARD,
    clipped,
    keyboard,
    text,
)
from malexbot.messengers.vk.translate import PRESS
from malexbot.pipeline.split import split
from malexbot.ports import Sent
from malexbot.runtime.stop import Stop

LONGEST_TEXT = 4096
# VK takes no message without a word, be there buttons below it or not.
WORDLESS = "…"
SEAT_S = 2.0
READ_S = 6.0
TIMEOUT_S = 15.0
# So long the same random_id surely posts nothing twice.
REPEATABLE_S = 3000.0
# Larger numbers would not survive those who read JSON's numbers as fractions.
RANDOM_BITS = 53
# VK's own numbers of reactions, by the names that they have elsewhere.
REACTIONS: Mapping[str, int] = {
    "heart": 1,
    "fire": 2,
    "joy": 3,
    "+1": 4,
    "thumbsup": 4,
    "hankey": 5,
    "question": 6,
    "sob": 7,
    "rage": 8,
    "-1": 9,
    "thumbsdown": 9,
    "ok_hand": 10,
    "smiley": 11,
    "thinking": 12,
    "thinking_face": 12,
    "pray": 13,
    "kissing_heart": 14,
    "heart_eyes": 15,
    "tada": 16,
}

Payload = Mapping[str, Any]


class Place(NamedTuple):
    """A message of a conversation."""

    peer_id: int
    cmid: int

    def __str__(self) -> str:
        return f"{self.peer_id}:{self.cmid}"


class VkChat:
    """Implements ports.Chat; safe to use from many threads.

    A `post_id` is the conversation and the message in it, "2000000001:17": VK numbers
    messages in each conversation anew. Where the conversation is named beside it, the
    number alone will do.
    """

    longest_text = LONGEST_TEXT
    timeout_s = TIMEOUT_S

    def __init__(self, client: Client) -> None:
        self._client = client.within(Stop(), patience_s=SEAT_S, read_s=READ_S)

    def send(self, payload: Payload, *, key: str) -> Sent:
        """Post it; VK posts nothing twice under the number that the key gives."""
        if payload.get("file_ids"):
            raise Permanent("malexbot sends no files to VK")
        peer_id = _peer_id(payload)
        cards = payload.get("cards") or ()
        shown = keyboard(cards)
        said = text(str(payload.get("message") or ""), cards)
        cmid = self._client.send(
            peer_id,
            said or (WORDLESS if shown else ""),
            random_id=random_id(key),
            keyboard=shown,
            forward=_reply(peer_id, payload.get("root_id")),
        )
        return Sent(str(Place(peer_id, cmid)))

    def find(self, payload: Payload, *, key: str, ago_s: float) -> Sent | None:
        """To send it again is the look-up: VK knows the number for an hour."""
        if ago_s < REPEATABLE_S:
            return None
        raise Permanent(
            "nobody can tell any more whether VK took it: if it is not there,"
            " `malexbot jobs retry` sends it again"
        )

    def react(self, payload: Payload) -> None:
        """By the number of a reaction, or by one of the names that VK has one for."""
        emoji = str(payload["emoji"]).strip(":")
        number = int(emoji) if emoji.isdecimal() else REACTIONS.get(emoji)
        if number is None:
            names = ", ".join(REACTIONS)
            raise Permanent(f"VK has no reaction {emoji!r}; there are {names}")
        self._client.react(*_place(payload), number)

    def edit(self, payload: Payload) -> None:
        """Replace the text; buttons stay as they are if no other cards are named."""
        place, cards = _place(payload), payload.get("cards")
        if cards is None:
            shown = self._keyboard_of(place)
        else:
            shown = keyboard(cards) or NO_KEYBOARD
        said = text(str(payload["message"]), cards or ()) or WORDLESS
        self._client.edit(*place, clipped(said, LONGEST_TEXT), keyboard=shown)

    def answer(self, payload: Payload, *, key: str) -> Sent:
        """What becomes of a pressed button's message, and what who pressed is told.

        An answer to a command stands below it: VK has nothing that one person sees.
        """
        update = payload.get("update")
        sent = Sent("")
        if update is not None:
            place = _place(payload)
            self.edit({"cards": (), **update, "post_id": str(place)})
            sent = Sent(str(place))
        said = _said(payload)
        if press_id := _press_id(payload):
            return self._answer_press(payload, press_id, said, key) or sent
        return self._say(payload, said, key) or sent

    def open_dialog(self, payload: Payload) -> None:
        raise Permanent("VK has no dialogs: ask by buttons, or by messages")

    def upload(self, payload: Payload) -> str:
        raise Permanent("malexbot sends no files to VK")

    def _answer_press(
        self, payload: Payload, press_id: str, said: str, key: str
    ) -> Sent | None:
        """A short word is shown to who pressed; else they are sent a message."""
        is_word = len(said) <= LONGEST_TOLD
        is_shown = is_word and not (payload.get("cards") or payload.get("in_channel"))
        is_told = self._show(payload, press_id, said if is_shown else "")
        if is_shown and is_told or not (said or payload.get("cards")):
            return None
        return self._say(payload, said, key)

    def _show(self, payload: Payload, press_id: str, said: str) -> bool:
        """No: it is too late, or was done before."""
        shown = {"type": "show_snackbar", "text": said} if said else None
        try:
            self._client.answer_press(
                press_id,
                user_id=int(payload["user_id"]),
                peer_id=int(payload["channel_id"]),
                shown=shown,
            )
        except Rejected:
            return False
        return True

    def _say(self, payload: Payload, said: str, key: str) -> Sent | None:
        """To that person alone if that may be; else where it was asked."""
        cards = payload.get("cards") or ()
        *parts, last = split(said, LONGEST_TEXT) or [""]
        if not (last or cards):
            return None
        where = self._where(payload)
        for number, part in enumerate(parts, start=1):
            self.send({**where, "message": part}, key=f"{key}-{number}")
        told = {"message": last, "cards": cards}
        try:
            return self.send({**where, **told}, key=key)
        except Forbidden as error:
            if "user_id" not in where or error.code not in FORBIDDEN_TO_WRITE:
                raise
            return self.send({"channel_id": payload["channel_id"], **told}, key=key)

    def _where(self, payload: Payload) -> dict[str, Any]:
        channel_id = payload["channel_id"]
        if payload.get("kind") == "button" and not payload.get("in_channel"):
            return {"user_id": payload["user_id"]}
        root_id = payload.get("root_id") or payload.get("post_id") or ""
        return {"channel_id": channel_id, "root_id": root_id}

    def _keyboard_of(self, place: Place) -> dict[str, Any] | None:
        """As it stands: an edit that names none takes it away."""
        row = self._client.message(*place) or {}
        shown = row.get("keyboard")
        return shown if isinstance(shown, dict) else None


def random_id(key: str) -> int:
    """The same number for the same key, never 0, which would be none."""
    digest = hashlib.sha256(key.encode()).digest()
    return (int.from_bytes(digest[:8]) >> (64 - RANDOM_BITS)) or 1


def _peer_id(payload: Payload) -> int:
    """A chat, a person, or a community below zero."""
    told = str(payload.get("channel_id") or payload.get("user_id") or "")
    return _number(told, "the number of a conversation")


def _place(payload: Payload) -> Place:
    told = str(payload["post_id"])
    peer_id, colon, cmid = told.rpartition(":")
    where = peer_id if colon else str(payload.get("channel_id") or "")
    return Place(
        _number(where, "the number of a conversation"),
        _number(cmid, "the number of a message"),
    )


def _number(told: str, what: str) -> int:
    if not told.removeprefix("-").isdecimal():
        raise Permanent(f"to VK {told!r} is not {what}")
    return int(told)


def _reply(peer_id: int, root_id: Any) -> dict[str, Any] | None:
    """What makes it an answer to a message of the same conversation."""
    if not root_id:
        return None
    place = _place({"post_id": root_id, "channel_id": peer_id})
    if place.peer_id != peer_id:
        return None
    cmids: Sequence[int] = [place.cmid]
    return {"peer_id": peer_id, "conversation_message_ids": cmids, "is_reply": 1}


def _press_id(payload: Payload) -> str:
    """By what a press is answered; "" if it is none, or that way is closed."""
    way = str(payload.get("response_url") or "")
    return way.removeprefix(PRESS) if way.startswith(PRESS) else ""


def _said(payload: Payload) -> str:
    words = (payload.get("message"), payload.get("error"))
    return "\n".join(str(word) for word in words if word)
