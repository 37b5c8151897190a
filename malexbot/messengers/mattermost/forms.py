"""Cards and dialogs as Mattermost writes them: attachments, actions, elements.

They come as the maps of a job's payload, named as ports.forms names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from malexbot.errors import Permanent
from malexbot.ports.forms import STYLES, require_action

Json = dict[str, Any]

ACTIONS = "/actions"
DIALOGS = "/dialogs"
# What a server marks a bot's post with; props that are written anew lose it.
BY_BOT = {"from_bot": "true"}
# What Mattermost takes of a dialog's words; newer servers refuse more.
LONGEST_TITLE = 24
LONGEST_HINT = 150
# So much of a reference's digest tells the controls of one post apart.
DIGITS = 12

_WORDS = ("fallback", "color", "pretext", "title", "title_link", "text")
_MORE_WORDS = ("image_url", "footer")


def attachments(cards: Sequence[Mapping[str, Any]], public_url: str) -> list[Json]:
    """Of each card one; raises Permanent for what could never be pressed."""
    return [_attachment(card, public_url) for card in cards]


def props(cards: Sequence[Mapping[str, Any]], public_url: str) -> Json:
    """All props of a post of ours with these cards; without any, nothing is left."""
    if not cards:
        return dict(BY_BOT)
    return {**BY_BOT, "attachments": attachments(cards, public_url)}


def clean(text: str) -> str:
    """The server fails on a NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def clipped(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _attachment(card: Mapping[str, Any], public_url: str) -> Json:
    told: Json = {name: _word(card, name) for name in (*_WORDS, *_MORE_WORDS)}
    told["fallback"] = told["fallback"] or told["title"] or told["text"]
    told["fields"] = [_fact(fact) for fact in card.get("facts") or ()]
    controls = card.get("controls") or ()
    told["actions"] = [_action(control, public_url) for control in controls]
    return {name: value for name, value in told.items() if value}


def _fact(fact: Mapping[str, Any]) -> Json:
    return {
        "title": _word(fact, "title"),
        "value": _word(fact, "text"),
        "short": bool(fact.get("is_short", True)),
    }


def _action(control: Mapping[str, Any], public_url: str) -> Json:
    if not public_url:
        raise Permanent(
            "backend.public_url is not set: the server would not know whom to tell"
            f" that {control.get('label')!r} was pressed"
        )
    try:
        name = require_action(str(control["action"]))
    except ValueError as error:
        raise Permanent(str(error)) from error
    ref = str(control["ref"])
    told = {
        # Another one with each reference: a press on what a client still shows, but
        # is not there any more, must not hit its successor.
        "id": name + hashlib.sha256(ref.encode()).hexdigest()[:DIGITS],
        "name": _word(control, "label"),
        "integration": {"url": public_url + ACTIONS, "context": {"ref": ref}},
    }
    return told | (
        _menu(control) if control.get("kind") == "menu" else _button(control)
    )


def _button(control: Mapping[str, Any]) -> Json:
    style = control.get("style")
    return {"type": "button", "style": style if style in STYLES else "default"}


def _menu(control: Mapping[str, Any]) -> Json:
    told: Json = {"type": "select"}
    if default := _word(control, "default"):
        told["default_option"] = default
    return told | _choices(control)


def _choices(owner: Mapping[str, Any]) -> Json:
    """Of given options, or of all the users or channels."""
    if source := owner.get("source"):
        return {"data_source": source}
    options = owner.get("options") or ()
    return {
        "options": [
            {"text": _word(option, "label"), "value": _word(option, "value")}
            for option in options
        ]
    }


def dialog(payload: Mapping[str, Any], public_url: str) -> Json:
    """What opens a dialog; raises Permanent if nobody could be told of its end."""
    if not public_url:
        raise Permanent(
            "backend.public_url is not set: the server would not know whom to tell"
            " what is written into a dialog"
        )
    fields = payload.get("fields") or ()
    return {
        "trigger_id": payload["trigger_id"],
        "url": public_url + DIALOGS,
        "dialog": {
            "callback_id": str(payload["action"]),
            "title": clipped(_word(payload, "title"), LONGEST_TITLE),
            "introduction_text": _word(payload, "introduction"),
            "submit_label": clipped(_word(payload, "submit_label"), LONGEST_TITLE),
            "notify_on_cancel": bool(payload.get("tells_cancel")),
            "state": str(payload["ref"]),
            "elements": [_element(field) for field in fields],
        },
    }


def _element(field: Mapping[str, Any]) -> Json:
    kind = field.get("kind") or "text"
    told: Json = {
        "display_name": clipped(_word(field, "label"), LONGEST_TITLE),
        "name": _word(field, "name"),
        "type": kind,
        "subtype": field.get("subtype") or "",
        "default": _word(field, "default"),
        "placeholder": clipped(_word(field, "placeholder"), LONGEST_HINT),
        "help_text": clipped(_word(field, "help"), LONGEST_HINT),
        "optional": bool(field.get("is_optional")),
        "min_length": field.get("min_length") or 0,
        "max_length": field.get("max_length") or 0,
    }
    told = {name: value for name, value in told.items() if value}
    return told | (_choices(field) if kind in ("select", "radio") else {})


def _word(owner: Mapping[str, Any], name: str) -> str:
    return clean(str(owner.get(name) or ""))
