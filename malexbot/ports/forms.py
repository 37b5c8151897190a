"""What a message may have beside its text: cards, buttons, menus, and dialogs.

They are said in words of no messenger; each of them writes them down in its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from malexbot.events import Id

Style = Literal["default", "primary", "danger", "good", "warning", "success"]
STYLES: Sequence[str] = ("default", "primary", "danger", "good", "warning", "success")
Source = Literal["", "users", "channels"]

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
_WORD = re.compile(r"[A-Za-z0-9]+")


def require_action(name: str) -> str:
    """The name of an action, as Mattermost takes it; raises ValueError."""
    if _WORD.fullmatch(name):
        return name
    plain = "".join(_WORD.findall(name)) or "approve"
    raise ValueError(
        f"an action may have letters and digits only, Mattermost finds no other:"
        f" {name!r} could be {plain!r}"
    )


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message; pressed, it calls the handler of its action."""

    action: str
    label: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What its handler is given back; nobody else ever sees it."""
    style: Style = "default"
    users: Sequence[Id] = ()
    """Who alone may press it; nobody named means everybody."""
    uses: int | None = 1
    """How often; those of one message share it: the first press counts. None: ever."""
    expires_s: float = 7 * DAY_S

    def __post_init__(self) -> None:
        require_action(self.action)
        if not self.label.strip():
            raise ValueError(f"the button {self.action!r} has no label")
        if self.style not in STYLES:
            raise ValueError(f"no style {self.style!r}; there are {', '.join(STYLES)}")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a menu."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu below a message: of given options, or of all users or channels."""

    action: str
    label: str
    options: Sequence[Option] = ()
    source: Source = ""
    default: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    users: Sequence[Id] = ()
    uses: int | None = None
    expires_s: float = 7 * DAY_S

    def __post_init__(self) -> None:
        require_action(self.action)
        if bool(self.options) == bool(self.source):
            raise ValueError(f"the menu {self.action!r} needs options or a source")


Control = Button | Menu


@dataclass(frozen=True, slots=True)
class Fact:
    """A short line of a card: its title and what it says."""

    title: str
    text: str
    is_short: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """A framed part of a message, with what can be pressed below it."""

    text: str = ""
    title: str = ""
    title_link: str = ""
    pretext: str = ""
    fallback: str = ""
    color: str = ""
    facts: Sequence[Fact] = ()
    image_url: str = ""
    footer: str = ""
    controls: Sequence[Control] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dialog."""

    name: str
    label: str
    kind: Literal["text", "textarea", "select", "radio", "bool"] = "text"
    subtype: Literal["", "text", "email", "number", "password", "tel", "url"] = ""
    default: str = ""
    placeholder: str = ""
    help: str = ""
    is_optional: bool = False
    min_length: int = 0
    max_length: int = 0
    options: Sequence[Option] = ()
    source: Source = ""


@dataclass(frozen=True, slots=True)
class Dialog:
    """A form that opens before a person; filled in, it calls its action's handler."""

    action: str
    title: str
    fields: Sequence[Field] = ()
    introduction: str = ""
    submit_label: str = ""
    tells_cancel: bool = False
    """Yes: its handler is called too when it is called off."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    expires_s: float = HOUR_S

    def __post_init__(self) -> None:
        require_action(self.action)
