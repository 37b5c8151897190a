"""What a plugin did on the stage: a bot that writes down what it is told."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from malexbot.events import Event, Id
from malexbot.ports import Card, Dialog, Found, Processor, Terms

_PLAIN = Terms()


class Said(NamedTuple):
    """A message that was sent, or changed."""

    number: int
    kind: str
    """post, direct, answer, update, edit, file."""
    text: str
    channel: str = ""
    user: str = ""
    """To whom alone; "" in a channel."""
    root_id: str = ""
    cards: Sequence[Card] = ()
    post_id: str = ""
    in_channel: bool = False
    content: bytes = b""

    @property
    def buttons(self) -> Sequence[str]:
        """The labels of what can be pressed below it."""
        return [each.label for card in self.cards for each in card.controls]


class Plays(Protocol):
    """Who goes on with what was shown."""

    def press(self, said: Said, label: str, by: str, choice: str = "") -> Turn: ...

    def submit(
        self, dialog: Dialog, by: str, values: Mapping[str, Any], channel: str
    ) -> Turn: ...

    def cancel(self, dialog: Dialog, by: str, channel: str) -> Turn: ...


class Turn:
    """What came of one event; `press` and `submit` go on from it."""

    def __init__(self, rehearsal: Plays, event: Event) -> None:
        self._rehearsal = rehearsal
        self.event = event
        self.called: list[str] = []
        """The functions that were called."""
        self.said: list[Said] = []
        self.reactions: list[str] = []
        self.delivered: list[tuple[str, str, Mapping[str, Any]]] = []
        """What was handed on: its kind, its lane, and what it says."""
        self.dialogs: list[Dialog] = []
        self.refused = ""
        """What was told of the whole dialog, or to who may not."""
        self.errors: dict[str, str] = {}
        """What was told at the fields of a dialog."""

    def _texts(self, *kinds: str) -> str:
        return "\n".join(each.text for each in self.said if each.kind in kinds)

    @property
    def answer(self) -> str:
        """What only the person of the event was told."""
        return self._texts("answer")

    @property
    def update(self) -> str:
        """What the message with the button says now."""
        return self._texts("update")

    @property
    def posts(self) -> Sequence[Said]:
        """What was said in channels, and to people."""
        return [each for each in self.said if each.kind in ("post", "direct", "file")]

    @property
    def dialog(self) -> Dialog:
        """The one that was opened."""
        (dialog,) = self.dialogs
        return dialog

    def press(self, label: str, *, by: str = "", choice: str = "") -> Turn:
        """Press what was shown last with this label; by who was on, or by another."""
        for said in reversed(self.said):
            if label in said.buttons:
                return self._rehearsal.press(said, label, by or self._who, choice)
        raise AssertionError(f"nobody was shown {label!r}; {self.buttons}")

    def submit(self, *, by: str = "", **values: Any) -> Turn:
        """Fill in the dialog that was opened."""
        where = str(self.event.peer.bpid)
        return self._rehearsal.submit(self.dialog, by or self._who, values, where)

    def cancel(self, *, by: str = "") -> Turn:
        where = str(self.event.peer.bpid)
        return self._rehearsal.cancel(self.dialog, by or self._who, where)

    @property
    def buttons(self) -> Sequence[str]:
        """All that can be pressed now."""
        return [label for said in self.said for label in said.buttons]

    @property
    def _who(self) -> str:
        return self.event.user.nick or ""


@dataclass(slots=True)
class Stage:
    """What stays from one turn to the next."""

    locale: str
    kept: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    found: Sequence[Found] = ()
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


class Keeps:
    """The shelf of a plugin, in memory; values go through JSON, as in the database."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(json.dumps(self._kept.get(key, default)))

    def set(self, key: str, value: Any) -> None:
        self._kept[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self._kept.pop(key, None)

    def items(self, prefix: str = "") -> Mapping[str, Any]:
        return {
            key: self.get(key) for key in sorted(self._kept) if key.startswith(prefix)
        }


class Actor:
    """The `Bot` of one call."""

    def __init__(self, stage: Stage, turn: Turn, handler: Processor) -> None:
        self._stage = stage
        self._turn = turn
        self._handler = handler
        self.store = Keeps(stage.kept)

    def reply(
        self,
        text: str,
        *,
        thread: bool = False,
        cards: Sequence[Card] = (),
        terms: Terms = _PLAIN,
    ) -> None:
        event = self._turn.event
        if not event.peer.bpid:
            raise ValueError(f"{event.name} is of no channel: say it with post")
        root_id = event.post.root_id if event.post else ""
        if thread and not root_id and event.message:
            root_id = str(event.message.cmid)
        self.post(event.peer.bpid, text, root_id=root_id, cards=cards)

    def post(
        self,
        channel: Id,
        text: str,
        *,
        root_id: str = "",
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = _PLAIN,
    ) -> None:
        where = {"channel": str(channel), "root_id": root_id}
        self._say("post", text, cards=tuple(cards), name=name, **where)

    def direct(
        self,
        user: Id,
        text: str,
        *,
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = _PLAIN,
    ) -> None:
        self._say("direct", text, user=str(user), cards=tuple(cards), name=name)

    def react(self, emoji: str, *, terms: Terms = _PLAIN) -> None:
        self._turn.reactions.append(emoji.strip(":"))

    def edit(
        self,
        channel: Id,
        post_id: str,
        text: str,
        *,
        cards: Sequence[Card] | None = None,
    ) -> None:
        where = {"channel": str(channel), "post_id": post_id}
        self._say("edit", text, cards=tuple(cards or ()), **where)

    def upload(
        self,
        channel: Id,
        name: str,
        content: bytes,
        *,
        text: str = "",
        root_id: str = "",
    ) -> None:
        said = f"{text} [{name}]".strip()
        self._say("file", said, channel=str(channel), root_id=root_id, content=content)

    def tell(self, target: str, text: str, *, terms: Terms = _PLAIN) -> None:
        self._say("post", text, channel=target.partition(":")[2])

    def deliver(
        self, kind: str, lane: str, payload: Mapping[str, Any], *, terms: Terms = _PLAIN
    ) -> None:
        self._turn.delivered.append((kind, lane, payload))

    def answer(
        self, text: str, *, in_channel: bool = False, cards: Sequence[Card] = ()
    ) -> None:
        event = self._turn.event
        is_asked = event.name in ("command", "button", "dialog")
        if not (is_asked or event.name == "hook" and event.message):
            raise ValueError(f"nobody waits for an answer to {event.name!r}")
        where = {"channel": str(event.peer.bpid), "user": str(event.user.uuid)}
        self._say("answer", text, cards=tuple(cards), in_channel=in_channel, **where)

    def update(self, text: str, *, cards: Sequence[Card] = ()) -> None:
        button = self._turn.event.button
        if button is None:
            raise ValueError("no button was pressed")
        channel = str(self._turn.event.peer.bpid)
        post_id = str(button.cmid)
        self._say("update", text, cards=tuple(cards), channel=channel, post_id=post_id)

    def open_dialog(self, dialog: Dialog) -> None:
        self._turn.dialogs.append(dialog)

    def refuse(self, error: str = "", **fields: str) -> None:
        self._turn.refused = error
        self._turn.errors |= fields

    def search(self, words: str, *, most: int = 10, skip: int = 0) -> Sequence[Found]:
        if not self._turn.event.user.uuid:
            raise ValueError("nobody asks: a schedule has no person")
        return self._stage.found[skip : skip + most]

    def named(self, name: str) -> str:
        return self._stage.names.get(name, "")

    @property
    def settings(self) -> Any:
        return self._handler.settings

    @property
    def locale(self) -> str:
        return self._stage.locale

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        return logging.LoggerAdapter(logging.getLogger(self._handler.name))

    def _say(self, kind: str, text: str, *, name: str = "", **more: Any) -> None:
        number = next(self._stage.numbers)
        more["post_id"] = more.get("post_id") or f"post{number}"
        self._turn.said.append(Said(number, kind, text, **more))
        if name:
            self._stage.names[name] = more["post_id"]
