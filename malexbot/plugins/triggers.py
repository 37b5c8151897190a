"""What sets a handler off: a command, a message, a button, a dialog, the clock, a call.

Each says which events it is about, whether one of them is meant for it, and what of
it the handler's parameters are filled with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from malexbot.events import Event
from malexbot.plugins.parameters import Arguments, Parameters
from malexbot.plugins.refusal import Refused
from malexbot.plugins.texts import Words
from malexbot.ports import Occasion
from malexbot.runtime.calendar import Calendar

if TYPE_CHECKING:
    from malexbot.rules import Condition
    from malexbot.rules.patterns import Pattern

COMMAND, BUTTON, DIALOG, HOOK, TICK = "command", "button", "dialog", "hook", "tick"
# What Mattermost calls for its own outgoing webhooks: somebody has said something.
OUTGOING = "/outgoing"

_FIRST = re.compile(r"^\S+\s*")


@dataclass(frozen=True, slots=True, eq=False)
class Trigger:
    """One of them; what it does not say is no."""

    @property
    def event(self) -> str:
        """The name of the events that it is about."""
        raise AttributeError

    @property
    def is_of_a_person(self) -> bool:
        """Yes: what the bot itself or the server did is kept from it."""
        return True

    @property
    def title(self) -> str:
        """What it is called where two of them would be the same."""
        return ""

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        """Yes: the handler of this name is to be called."""
        return False

    def arguments(self, event: Event, takes: Parameters) -> Arguments:
        """What the handler is given; raises Misfit."""
        return Arguments()

    def require_fit(self, takes: Parameters) -> None:
        """That the handler can be given what it takes; raises Refused."""
        if takes.needed:
            raise Refused(
                f"{self.title} gives nothing that is called {takes.needed[0]!r}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Commanded(Trigger):
    """A slash command, or with several words one part of what it does."""

    words: tuple[str, ...]
    help: Words | None = ""
    """None: the help is silent about it."""
    longer: frozenset[tuple[str, ...]] = frozenset()
    """Those of the same plugin that begin with these words: theirs is what they fit."""

    @property
    def event(self) -> str:
        return COMMAND

    @property
    def title(self) -> str:
        return " ".join(self.words)

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        said = _said(event)
        return _begins(said, self.words) and not any(
            _begins(said, words) for words in self.longer
        )

    def arguments(self, event: Event, takes: Parameters) -> Arguments:
        text = _text(event)
        for _ in self.words[1:]:
            text = _FIRST.sub("", text)
        return takes.by_words(text)

    def require_fit(self, takes: Parameters) -> None:
        """Whatever it takes, words can be given for it."""


def _text(event: Event) -> str:
    return event.command.text.strip() if event.command else ""


def _said(event: Event) -> tuple[str, ...]:
    if event.command is None:
        return ()
    return (event.command.name.lower(), *_text(event).lower().split())


def _begins(said: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return said[: len(words)] == words


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Heard(Trigger):
    """Something that was said or that happened in a channel."""

    name: str
    when: Condition | None = None
    pattern: Pattern | None = None
    mention: bool = False
    direct: bool = False
    bots: bool = False
    help: Words = ""

    @property
    def event(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return f"listening to {self.name}"

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        is_it = self.name in (event.name, event.common_name)
        if not is_it or not self._is_for_us(occasion):
            return False
        if event.post is not None and event.post.by_bot > self.bots:
            return False
        if self.pattern and not (event.message and self._is_in(event.message.text)):
            return False
        return self.when is None or self.when(event)

    def arguments(self, event: Event, takes: Parameters) -> Arguments:
        found = None
        if self.pattern and event.message:
            found = self.pattern.parts(event.message.text)
        return takes.by_name(found or {})

    def require_fit(self, takes: Parameters) -> None:
        known = self.pattern.names if self.pattern else ()
        for name in takes.needed:
            if name not in known:
                hint = f"name a group of its pattern so: (?P<{name}>…)"
                raise Refused(f"{self.title} gives nothing for {name!r}; {hint}")

    def _is_for_us(self, occasion: Occasion) -> bool:
        if occasion.is_direct:
            return self.direct
        return occasion.is_mention or not self.mention

    def _is_in(self, text: str) -> bool:
        return self.pattern is not None and self.pattern.is_in(text)


@dataclass(frozen=True, slots=True, eq=False)
class Pressed(Trigger):
    """A button was pressed, or something chosen from a menu."""

    action: str

    @property
    def event(self) -> str:
        return BUTTON

    @property
    def title(self) -> str:
        return f"the action {self.action!r}"

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        button = event.button
        return button is not None and button.beid == _whole(handler, self.action)

    def arguments(self, event: Event, takes: Parameters) -> Arguments:
        values = dict(event.button.payload) if event.button else {}
        if choice := event.data.get("choice"):
            values["choice"] = choice
        return takes.by_name(values)

    def require_fit(self, takes: Parameters) -> None:
        """What a button gives is said where it is made."""


@dataclass(frozen=True, slots=True, eq=False)
class Filled(Trigger):
    """A dialog was filled in, or called off."""

    action: str
    is_cancelled: bool = False

    @property
    def event(self) -> str:
        return DIALOG

    @property
    def title(self) -> str:
        return f"the dialog {self.action!r}{', called off' * self.is_cancelled}"

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        form = event.form
        if form is None or form.is_cancelled != self.is_cancelled:
            return False
        return form.name == _whole(handler, self.action)

    def arguments(self, event: Event, takes: Parameters) -> Arguments:
        """What the person wrote never replaces what the dialog was given along."""
        if event.form is None:
            return Arguments()
        written = {
            name: value
            for name, value in event.form.values.items()
            if value is not None and value != ""
        }
        return takes.by_name({**written, **event.form.payload})

    def require_fit(self, takes: Parameters) -> None:
        """Its fields are said where it is made."""


def _whole(handler: str, action: str) -> str:
    return f"{handler.partition('.')[0]}.{action}"


@dataclass(frozen=True, slots=True, eq=False)
class Due(Trigger):
    """It is time."""

    calendar: Calendar

    @property
    def event(self) -> str:
        return TICK

    @property
    def title(self) -> str:
        return f"the schedule {self.calendar}"

    @property
    def is_of_a_person(self) -> bool:
        return False

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        return event.name == TICK and event.data.get("processor") == handler


@dataclass(frozen=True, slots=True, eq=False)
class Called(Trigger):
    """Somebody called the plugin's own address."""

    path: str

    @property
    def event(self) -> str:
        return HOOK

    @property
    def title(self) -> str:
        return f"the webhook {self.path}"

    @property
    def is_of_a_person(self) -> bool:
        return self.path == OUTGOING

    def fits(self, event: Event, occasion: Occasion, handler: str) -> bool:
        return event.name == HOOK and event.data.get("path") == self.path
