"""What VK tells by long poll, as events; nobody is asked anything here.

Updates are trusted in nothing: what is no event raises `Unreadable`, with the reason.
Names of people and chats are left to the directory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from malexbot.events import (
    Button,
    Command,
    Event,
    Message,
    Origin,
    Peer,
    Reaction,
    Reply,
    User,
)
from malexbot.messengers.vk.contents import (
    Unreadable,
    has_nul,
    read_moment,
    read_number,
    read_payload,
    read_text,
    read_word,
)

SOURCE = "vk"
CHATS_FROM = 2_000_000_000
# VK's names of what happens to messages, and those of every messenger.
OF_MESSAGES = {
    "message_new": "message",
    "message_reply": "message",
    "message_edit": "edit",
}
PRESSED, REACTED = "message_event", "message_reaction_event"
# What a press brings to answer it by; it is the way of its late answer.
PRESS = "press:"
LONGEST_ID = 200
# What a message tells beside its text, and what that is called here.
_MORE = {
    "action": "action",
    "payload": "payload",
    "is_cropped": "is_cropped",
    "admin_author_id": "admin_author_id",
    "ref": "came_by",
}
# By these we know what is pressed and asked of us: nobody else says them.
_OURS = frozenset({"ref", "response_url", "trigger_id", "cookie"})
_COMMAND = re.compile(r"([/!])(\w[\w.-]*)(?:\s+(.*))?", re.DOTALL)
_MENTION = re.compile(r"\[(?:club|public)(\d+)\|[^\]]*\],?\s*")

Json = Mapping[str, Any]
_FAULTS = (KeyError, TypeError, AttributeError, ValueError, RecursionError)


class Told(NamedTuple):
    """What is the same of every update."""

    event_id: str
    name: str
    origin: Origin
    connection: int
    raw: bytes
    at: int
    """When it was told, or could have been."""


class Translator:
    """Reads updates of one community."""

    def __init__(self, group_id: int, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the clock, for what does not tell when it happened."""
        self._group_id = group_id
        self._now_ms = now_ms

    def event(
        self, update: Any, *, origin: Origin, connection: int, ago_ms: int = 0
    ) -> Event:
        """The event of an update; raises `Unreadable` only.

        `ago_ms`: how long ago it may have happened, if it does not tell that itself.
        """
        try:
            raw = orjson.dumps(update)
            if b"\\u0000" in raw and has_nul(update):
                raise Unreadable("a text with a NUL in it")
            told = Told(
                event_id=_event_id(update, raw),
                name=read_word(update["type"]),
                origin=origin,
                connection=connection,
                raw=raw,
                at=self._now_ms() - ago_ms,
            )
            return self._read(told, update["object"])
        except _FAULTS as error:
            reason = f"an update with {type(error).__name__}: {error}"
            raise Unreadable(reason.encode(errors="replace").decode()[:200]) from error

    def gap(self, ts_from: str, ts_to: str, reason: str, *, connection: int) -> Event:
        """That updates were lost, as an event of its own."""
        data = {"ts_from": ts_from, "ts_to": ts_to, "reason": reason}
        told = Told(
            event_id=f"gap:{self._group_id}:{ts_from}:{ts_to}",
            name="gap",
            origin="live",
            connection=connection,
            raw=orjson.dumps(data),
            at=self._now_ms(),
        )
        return _event(told, "gap", -self._group_id, 0, told.at, data=data)

    def message(self, event: Event, row: Json) -> Event:
        """The same event, with its message as it was fetched whole."""
        try:
            return event._replace(message=_message(row))
        except _FAULTS as error:
            raise Unreadable(f"a message with {type(error).__name__}") from error

    def _read(self, told: Told, object: Json) -> Event:
        if told.name in OF_MESSAGES:
            # Newer versions wrap the message of message_new alone.
            row = object["message"] if told.name == "message_new" else object
            return self._of_message(told, row, object)
        if told.name == PRESSED:
            return self._of_press(told, object)
        if told.name == REACTED:
            return self._of_reaction(told, object)
        return self._other(told, object)

    def _of_message(self, told: Told, row: Json, object: Json) -> Event:
        peer_id, user_id = read_number(row["peer_id"]), read_number(row["from_id"])
        message = _message(row)
        kind, command = OF_MESSAGES[told.name], None
        is_ours = user_id == -self._group_id
        if told.name == "message_new" and not (is_ours or row.get("action")):
            command = self._command(message.text)
        changed = row.get("update_time") if kind == "edit" else None
        data = {ours: row[name] for name, ours in _MORE.items() if row.get(name)}
        data["channel_type"] = "D" if 0 < peer_id < CHATS_FROM else "O"
        return _event(
            told,
            "command" if command else kind,
            peer_id,
            user_id,
            read_moment(changed or row["date"]),
            message=message,
            command=command,
            data=data,
        )

    def _command(self, text: str) -> Command | None:
        """/ban 7 or !ban 7, the community named before it or not; but not: !!!"""
        mention = _MENTION.match(text)
        if mention and int(mention[1]) == self._group_id:
            text = text[mention.end() :]
        found = _COMMAND.fullmatch(text.strip())
        return Command(f"/{found[2]}", found[3] or "") if found else None

    def _of_press(self, told: Told, object: Json) -> Event:
        press_id = read_word(object["event_id"])
        cmid = object.get("conversation_message_id")
        payload = read_payload(object.get("payload"))
        return _event(
            told,
            "button",
            read_number(object["peer_id"]),
            read_number(object["user_id"]),
            told.at,
            button=Button(0 if cmid is None else read_number(cmid), press_id, payload),
            data={"response_url": PRESS + press_id},
        )

    def _of_reaction(self, told: Told, object: Json) -> Event:
        """One that is taken away has no number."""
        rid = object.get("reaction_id")
        number = None if rid is None else read_number(rid)
        return _event(
            told,
            "reaction",
            read_number(object["peer_id"]),
            read_number(object["reacted_id"]),
            told.at,
            reaction=Reaction(read_number(object["cmid"]), number),
        )

    def _other(self, told: Told, object: Any) -> Event:
        """What has no form of its own, also what is not known yet."""
        data: Json = object if isinstance(object, dict) else {"object": object}
        data = {name: value for name, value in data.items() if name not in _OURS}
        peer_id = data.get("peer_id") or -self._group_id
        user_id = data.get("user_id") or data.get("from_id") or 0
        date = data.get("date")
        return _event(
            told,
            told.name,
            read_number(peer_id),
            read_number(user_id),
            read_moment(date) if date else told.at,
            data=data,
        )


def peer(peer_id: int, name: str | None = None) -> Peer:
    """A conversation; of a chat, `cid` is its number among the chats."""
    cid = peer_id - CHATS_FROM if peer_id >= CHATS_FROM else peer_id
    return Peer(peer_id, cid, name)


def _event(
    told: Told, kind: str, peer_id: int, user_id: int, at: int, **parts: Any
) -> Event:
    return Event(
        event_id=told.event_id,
        source=SOURCE,
        name=told.name,
        event_type=kind,
        peer=peer(peer_id),
        user=User(user_id),
        occurred_at=at,
        origin=told.origin,
        connection=told.connection,
        raw=told.raw,
        **parts,
    )


def _event_id(update: Json, raw: bytes) -> str:
    """VK's own; without one the same update has the same id by what it says."""
    told = update.get("event_id")
    if told is None:
        return hashlib.sha256(raw).hexdigest()[:40]
    if not isinstance(told, str) or not told.isascii() or not told.isalnum():
        raise Unreadable("an event_id that is none")
    if len(told) > LONGEST_ID:
        raise Unreadable("an event_id that is too long")
    return told


def _message(row: Json) -> Message:
    attachments = [read_word(one["type"]) for one in row.get("attachments") or ()]
    answered, forwarded = row.get("reply_message"), row.get("fwd_messages") or ()
    there = {"geo": row.get("geo"), "reply": answered, "forward": forwarded}
    attachments += [name for name, told in there.items() if told]
    return Message(
        cmid=read_number(row["conversation_message_id"]),
        text=read_text(row.get("text")),
        reply=_reply(answered) if answered else None,
        forward=tuple(_reply(one) for one in forwarded),
        attachments=tuple(attachments),
    )


def _reply(row: Json) -> Reply:
    """What comes from another conversation may have no number there."""
    cmid = row.get("conversation_message_id") or row.get("id") or 0
    return Reply(read_number(cmid), read_text(row.get("text")))
