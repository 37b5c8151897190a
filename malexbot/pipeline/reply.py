"""What is answered to a command, a button or a dialog: all that a handler says, in one.

A messenger waits for one answer a call, and only so long; what comes later goes
another way, as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from malexbot.events import OF_A_PERSON, Event
from malexbot.pipeline.controls import Laid
from malexbot.ports import Effect, GiveBack, Grant, Terms

ANSWER = "chat.answer"
ANSWERABLE = OF_A_PERSON | {"hook"}
# So long lives a response_url.
ANSWER_LIVES_S = 30 * 60.0

NOTHING = Laid([])


class Reply:
    """The answer to one event, as it grows."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._said: dict[str, Any] = {}
        self._texts: list[str] = []
        self._grants: list[Grant] = []
        self.writes: list[GiveBack] = []

    def say(self, text: str, laid: Laid = NOTHING, *, in_channel: bool = False) -> None:
        """For who asked alone, unless one part of it is for the channel."""
        self._require(ANSWERABLE, "answer: say it with reply or direct")
        if is_call_of_a_program(self._event):
            raise ValueError("nobody waits for an answer: say it with post or direct")
        if text.strip():
            self._texts.append(text)
        self._said["cards"] = [*self._said.get("cards", ()), *laid.cards]
        self._said["in_channel"] = in_channel or self._said.get("in_channel", False)
        self._grants += laid.grants

    def update(self, text: str, laid: Laid) -> None:
        """The last one counts."""
        self._require({"button"}, "update: no message was pressed; there is edit")
        self._said["update"] = {"message": text, "cards": laid.cards}
        self._grants += laid.grants

    def refuse(self, error: str, fields: Mapping[str, str]) -> None:
        """What was used for it may be used again."""
        self.give_back()
        self.fail(error, fields)

    def fail(self, error: str, fields: Mapping[str, str] | None = None) -> None:
        """Leave a dialog open; whoever has none is told."""
        if self._event.event_type != "dialog":
            self.say("\n".join([error, *(fields or {}).values()]).strip())
            return
        self._said["error"] = error
        self._said["errors"] = {**self._said.get("errors", {}), **(fields or {})}

    def give_back(self) -> None:
        """What the event took of a grant."""
        if ref := self._event.data.get("ref"):
            self.writes = [GiveBack(str(ref), self._event.event_id)]

    @property
    def effects(self) -> Sequence[Effect]:
        """One, or none if nothing was said."""
        if not self._said:
            return ()
        payload = {
            **address(self._event),
            "message": "\n".join(self._texts),
            "in_channel": False,
            "cards": [],
            **self._said,
        }
        target = own_target(self._event)
        return (Effect(ANSWER, target, payload, grants=tuple(self._grants)),)

    def _require(self, types: frozenset[str] | set[str], what: str) -> None:
        if self._event.event_type not in types:
            raise ValueError(f"{self._event.name} is nothing to {what}")


def asked(event: Event) -> dict[str, Any]:
    """What to remember of it for who could not do at once what it asks for."""
    return {**address(event), "ref": event.data.get("ref", "")}


def excuse(asked: Mapping[str, Any], text: str, target: str) -> Effect:
    """An answer to what was asked for a moment ago."""
    told = {name: value for name, value in asked.items() if name != "ref"}
    payload = {**told, "message": text, "in_channel": False, "cards": []}
    return Effect(ANSWER, target, payload, Terms(ANSWER_LIVES_S))


def is_call_of_a_program(event: Event) -> bool:
    """Yes: it called a plugin's address; nobody has said anything anywhere."""
    return event.event_type == "hook" and event.message is None


def own_target(event: Event) -> str:
    """Nothing else waits there: what is in a hurry is held up by nobody."""
    return f"{event.source}:@{event.user.uuid}/{event.event_id}"


def address(event: Event) -> dict[str, Any]:
    """To whom, where and to what an answer goes."""
    told: dict[str, Any] = {
        "event_id": event.event_id,
        "kind": event.event_type,
        "user_id": event.user.uuid,
        "channel_id": event.peer.bpid,
    }
    if event.button:
        told["post_id"] = event.button.cmid
    elif event.message:
        told["post_id"] = event.message.cmid
    for name in ("response_url", "root_id"):
        if name in event.data:
            told[name] = event.data[name]
    return told
