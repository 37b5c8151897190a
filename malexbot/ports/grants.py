"""Grants: what a button or a dialog may set off, known by a secret reference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from malexbot.events import Id

GrantKind = Literal["button", "dialog"]


class Grant(NamedTuple):
    """One is made with each button, menu and dialog, in the transaction of its job."""

    ref: str
    """128 bits of chance, in hex: whoever shows it was shown the button."""
    kind: GrantKind
    action: str
    """Whose handler is called, with the plugin before it: rota.approve."""
    payload: Mapping[str, Any]
    channel_id: str = ""
    """Where it counts; "" while that is not known, as in a direct message."""
    users: Sequence[Id] = ()
    """Whose alone it is; nobody named means everybody. They are kept as text."""
    uses: int | None = 1
    choice: str = ""
    """One use counts for all with the same one, but for those without a limit."""
    expires_s: float = 0.0
    options: Sequence[str] = ()
    """The values that may be chosen, those of a dialog as `field_option` writes them;
    none named means any.
    """


def field_option(field: str, value: str | None) -> str:
    """One that may be chosen in a field of a dialog; None stands for any id."""
    return json.dumps([field, value], ensure_ascii=False)


def field_options(grant: Grant) -> Mapping[str, frozenset[str | None]]:
    """What may be chosen in those fields of a dialog where not everything may be."""
    told = [json.loads(option) for option in grant.options]
    fields = {field for field, _ in told}
    return {
        field: frozenset(value for name, value in told if name == field)
        for field in fields
    }


class Granted(NamedTuple):
    """A grant as it stands now."""

    grant: Grant
    post_id: str
    """The post that carries it, once known."""
    uses_left: int | None
    is_expired: bool


class Grants(Protocol):
    """All that may be pressed; raises Transient when nothing can be told now."""

    def look(self, ref: str) -> Granted | None:
        """The grant with this reference; None if there is none."""
        ...

    def take(self, ref: str, *, event_id: str) -> bool:
        """Use it once for this event; no: others have used it up, or it is too late.

        The same event may ask again: what it took stays its own.
        """
        ...
