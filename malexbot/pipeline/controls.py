"""What can be pressed: as a payload tells it, and the grants that stand behind it.

A payload is seen by the messenger, and by whoever lists the jobs: what a control sets
off, and for whom, stands in its grant alone, which the payload names by a reference.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from malexbot.events import Id
from malexbot.ports import Button, Card, Dialog, Field, Grant, Menu
from malexbot.ports.grants import field_option

# What of a control is for its grant.
_GRANTED = ("payload", "users", "uses", "expires_s")

Json = dict[str, Any]


class Laid(NamedTuple):
    """Cards as a payload has them."""

    cards: list[Json]
    grants: tuple[Grant, ...] = ()


class Place(NamedTuple):
    """Where a message goes, and who set it there."""

    plugin: str
    """Whose handlers its controls call."""
    channel_id: Id = ""
    users: Sequence[Id] = ()
    """Who alone may press what names nobody."""


def lay_out(cards: Sequence[Card], place: Place) -> Laid:
    """The cards of one message; what may be pressed only so often shares that."""
    grants: list[Grant] = []
    choice = secrets.token_hex(8)
    told = [_card(card, place, choice, grants) for card in cards]
    return Laid(told, tuple(grants))


def lay_out_dialog(dialog: Dialog, place: Place) -> tuple[Json, Grant]:
    """Its state is known to the browser it opens in: so it is that person's alone."""
    grant = Grant(
        ref=_ref(),
        kind="dialog",
        action=f"{place.plugin}.{dialog.action}",
        payload=dialog.payload,
        channel_id=str(place.channel_id),
        users=place.users,
        expires_s=dialog.expires_s,
        options=tuple(_field_options(dialog.fields)),
    )
    return _told(dialog) | {"ref": grant.ref}, grant


def _field_options(fields: Sequence[Field]) -> Iterator[str]:
    """Whatever a field shows: its browser may send anything."""
    for each in fields:
        if each.kind in ("select", "radio"):
            values = [None] if each.source else [one.value for one in each.options]
            yield from (field_option(each.name, value) for value in values)


def refs(cards: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...]:
    """By what the controls of a payload's cards are known."""
    return tuple(_refs(cards or ()))


def _refs(cards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for card in cards:
        for control in card["controls"]:
            yield control["ref"]


def _card(card: Card, place: Place, choice: str, grants: list[Grant]) -> Json:
    controls = []
    for control in card.controls:
        grant = _grant(control, place, choice)
        grants.append(grant)
        kind = "button" if isinstance(control, Button) else "menu"
        controls.append(_told(control) | {"kind": kind, "ref": grant.ref})
    return asdict(card) | {"controls": controls}


def _grant(control: Button | Menu, place: Place, choice: str) -> Grant:
    options = control.options if isinstance(control, Menu) else ()
    return Grant(
        ref=_ref(),
        kind="button",
        action=f"{place.plugin}.{control.action}",
        payload=control.payload,
        channel_id=str(place.channel_id),
        users=tuple(control.users) or tuple(place.users),
        uses=control.uses,
        choice=choice if control.uses is not None else "",
        expires_s=control.expires_s,
        options=tuple(option.value for option in options),
    )


def _told(part: Button | Menu | Dialog) -> Json:
    return {name: told for name, told in asdict(part).items() if name not in _GRANTED}


def _ref() -> str:
    return secrets.token_hex(16)
