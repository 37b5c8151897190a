"""Cards as VK writes them: text, and a keyboard below the message.

They come as the maps of a job's payload, named as ports.forms names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from malexbot.errors import Permanent

Json = dict[str, Any]

# What VK takes of a keyboard inside of a message.
MOST_BUTTONS = 10
MOST_IN_ROW = 5
MOST_ROWS = 6
LONGEST_LABEL = 40
LONGEST_TOLD = 90
COLORS = {
    "primary": "primary",
    "danger": "negative",
    "good": "positive",
    "success": "positive",
}
NO_KEYBOARD: Json = {"inline": True, "buttons": []}


def clipped(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def text(message: str, cards: Sequence[Mapping[str, Any]]) -> str:
    """The message and what its cards say, a blank line between."""
    parts = [message, *("\n".join(_lines(card)) for card in cards)]
    return "\n\n".join(part for part in parts if part.strip())


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    title, link = _word(card, "title"), _word(card, "title_link")
    facts = card.get("facts") or ()
    told = (
        _word(card, "pretext"),
        f"{title} ({link})" if title and link else title or link,
        _word(card, "text"),
        *(f"{_word(fact, 'title')}: {_word(fact, 'text')}" for fact in facts),
        _word(card, "image_url"),
        _word(card, "footer"),
    )
    yield from (line for line in told if line)


def keyboard(cards: Sequence[Mapping[str, Any]]) -> Json | None:
    """All that can be pressed, a row a card; None if that is nothing.

    A button's payload is the reference of its grant alone: what it sets off, and for
    whom, nobody at VK sees or can change. A menu is a button for each of its options.
    """
    rows = [row for card in cards for row in _rows(card)]
    count = sum(map(len, rows))
    if count > MOST_BUTTONS or len(rows) > MOST_ROWS:
        raise Permanent(
            f"VK shows {MOST_BUTTONS} buttons in {MOST_ROWS} rows below a message at"
            f" most, not {count} in {len(rows)}"
        )
    return {"inline": True, "buttons": rows} if rows else None


def _rows(card: Mapping[str, Any]) -> Iterator[list[Json]]:
    buttons: list[Json] = []
    for control in card.get("controls") or ():
        if control.get("kind") == "menu":
            if buttons:
                yield from _in_rows(buttons)
            yield from _in_rows(_options(control))
            buttons = []
        else:
            buttons.append(_button(_word(control, "label"), control))
    yield from _in_rows(buttons)


def _in_rows(buttons: Sequence[Json]) -> Iterator[list[Json]]:
    for at in range(0, len(buttons), MOST_IN_ROW):
        yield list(buttons[at : at + MOST_IN_ROW])


def _options(menu: Mapping[str, Any]) -> list[Json]:
    options = menu.get("options") or ()
    if not options:
        raise Permanent("VK has no menus of users or channels: give it options")
    return [
        _button(_word(option, "label"), menu, choice=_word(option, "value"))
        for option in options
    ]


def _button(label: str, control: Mapping[str, Any], *, choice: str = "") -> Json:
    payload = {"ref": str(control["ref"])} | ({"choice": choice} if choice else {})
    action = {
        "type": "callback",
        "label": clipped(label, LONGEST_LABEL),
        "payload": orjson.dumps(payload).decode(),
    }
    color = COLORS.get(str(control.get("style")), "secondary")
    return {"action": action, "color": color}


def _word(owner: Mapping[str, Any], name: str) -> str:
    return str(owner.get(name) or "")
