"""Processors: what is done on an event, and what they may do."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from malexbot.events import Event, Id
from malexbot.ports.forms import Card, Dialog


class Occasion(NamedTuple):
    """What intake knows of an event besides what it says."""

    age_s: float
    """How long ago it happened, by the server's clock."""
    is_direct: bool = False
    """Yes: it was said to the bot alone, or to a few people and the bot."""
    is_mention: bool = False
    """Yes: it names the bot."""


class Terms(NamedTuple):
    """Until when and how often something may be sent."""

    max_age_s: float | None = None
    """It is not sent later than this from now."""
    quiet_key: str = ""
    """Nothing that has this key is sent again for `quiet_s`."""
    quiet_s: float = 0.0


class Found(NamedTuple):
    """A post of the archive that a search found."""

    post_id: str
    channel_id: str
    channel: str
    user: str
    said_at: int
    """Milliseconds of the server's clock."""
    snippet: str
    link: str


class Shelf(Protocol):
    """What one plugin keeps; it sees its own writes, others see them at its end.

    A handler whose values were changed by another one meanwhile runs anew.
    """

    def get(self, key: str, default: Any = None) -> Any: ...

    def set(self, key: str, value: Any) -> None:
        """Any JSON."""
        ...

    def delete(self, key: str) -> None: ...

    def items(self, prefix: str = "") -> Mapping[str, Any]: ...


class Bot(Protocol):
    """What a processor may do; it happens once the processor has returned, once."""

    def reply(
        self,
        text: str,
        *,
        thread: bool = False,
        cards: Sequence[Card] = (),
        terms: Terms = ...,
    ) -> None:
        """Say it where it was said."""
        ...

    def post(
        self,
        channel: Id,
        text: str,
        *,
        root_id: str = "",
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = ...,
    ) -> None:
        """Say it there; by its name, `named` tells its id later."""
        ...

    def direct(
        self,
        user: Id,
        text: str,
        *,
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = ...,
    ) -> None: ...

    def react(self, emoji: str, *, terms: Terms = ...) -> None: ...

    def edit(
        self,
        channel: Id,
        post_id: str,
        text: str,
        *,
        cards: Sequence[Card] | None = None,
    ) -> None:
        """Change a post of the bot; None leaves its cards, () takes them away."""
        ...

    def upload(
        self,
        channel: Id,
        name: str,
        content: bytes,
        *,
        text: str = "",
        root_id: str = "",
    ) -> None:
        """Post a file."""
        ...

    def answer(
        self, text: str, *, in_channel: bool = False, cards: Sequence[Card] = ()
    ) -> None:
        """Tell who gave the command or pressed the button; only they see it."""
        ...

    def update(self, text: str, *, cards: Sequence[Card] = ()) -> None:
        """Change the message whose button was pressed; without cards, none is left."""
        ...

    def open_dialog(self, dialog: Dialog) -> None:
        """Open it before who gave the command or pressed the button."""
        ...

    def refuse(self, error: str = "", **fields: str) -> None:
        """Leave the dialog open, and tell what is wrong, by field or at all."""
        ...

    def tell(self, target: str, text: str, *, terms: Terms = ...) -> None:
        """Say it in a channel of any messenger: `mattermost:ID`, `vk:ID`."""
        ...

    def deliver(
        self, kind: str, lane: str, payload: Mapping[str, Any], *, terms: Terms = ...
    ) -> None:
        """Hand it on as a job of that kind; what is in one lane keeps its order."""
        ...

    def search(self, words: str, *, most: int = 10, skip: int = 0) -> Sequence[Found]:
        """Posts of the archive that the person of the event may read."""
        ...

    def named(self, name: str) -> str:
        """The id of the post that was given this name; "" if it is not there."""
        ...

    @property
    def store(self) -> Shelf: ...

    @property
    def settings(self) -> Any:
        """Those of the plugin, as its Params read them."""
        ...

    @property
    def locale(self) -> str:
        """The language of the person of the event: en, ru, …"""
        ...

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]: ...


class Processor:
    """Something that is done on events; each method may be left as it is.

    `keeps` and `wants` are asked before anything is durable: they are pure and quick.
    """

    name: str
    max_age_s: float = 600.0
    """An event that is older makes no job."""
    answers = True
    """Yes: what the bot itself or the server wrote is kept from it."""
    once = False
    """Yes: a run that a crash of ours cut off is not begun again, but shown as dead."""
    stands_by = False
    """Yes: it tells others what happened. It uses up nothing that is pressed, and who
    pressed waits for nothing from it.
    """
    events: Sequence[str] = ()
    """The names of the events that it is offered without being named in settings."""
    settings: Any = None
    """What `bot.settings` gives its handler."""
    decides_again = False
    """Yes: `handle` asks again whether it wants the event, which may have names by then
    that nobody knew at first; so it is called for any event that has none yet.
    """
    is_at_home = False
    """Yes: it is offered to the people of the archive's own messenger alone."""

    def keeps(self, event: Event) -> bool:
        """Yes: the archive keeps the post of this event."""
        return False

    def wants(self, event: Event, occasion: Occasion) -> bool:
        """Yes: a job calls `handle` with this event."""
        return False

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        """Act; may be called again when it was interrupted, never twice to the end."""

    def look(self, event: Event) -> None:
        """See it once it is durable; nothing may depend on this."""
