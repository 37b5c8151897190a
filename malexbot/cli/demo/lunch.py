"""The demo's plugin: /lunch asks in a dialog where and when, and buttons who comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from malexbot import (
    Bot,
    Button,
    Card,
    Dialog,
    Event,
    Field,
    Option,
    action,
    command,
    dialog,
)

TIMES = ("11:30", "12:00", "12:30", "13:00")
BEGINNING = "lunch/"


@command("/lunch", {"en": "ask who comes to lunch", "ru": "позвать на обед"})
def lunch(event: Event, bot: Bot) -> None:
    fields = [
        Field("where", "Where?", placeholder="the canteen"),
        Field(
            "at",
            "When?",
            kind="select",
            options=[Option(at, at) for at in TIMES],
            default="12:30",
        ),
        Field("more", "Anything else?", kind="textarea", is_optional=True),
    ]
    bot.open_dialog(Dialog("invite", "Lunch", fields, submit_label="Ask"))


@dialog("invite")
def invite(event: Event, bot: Bot, where: str, at: str, more: str = "") -> None:
    if len(where.split()) > 5:
        bot.refuse(where="A shorter name, please.")
        return
    told = {"where": where, "at": at, "more": more, "by": event.user.nick}
    bot.store.set(f"{BEGINNING}{event.event_id}", told)
    text = question(told, {})
    bot.post(event.peer.bpid, text, cards=buttons(event.event_id))


@action("come")
def come(event: Event, bot: Bot, lunch: str) -> None:
    answered(event, bot, lunch, True)


@action("stay")
def stay(event: Event, bot: Bot, lunch: str) -> None:
    answered(event, bot, lunch, False)


def answered(event: Event, bot: Bot, lunch: str, comes: bool) -> None:
    """The message tells it, and may be pressed again."""
    key = f"{BEGINNING}{lunch}"
    told = bot.store.get(key)
    bot.store.set(f"{key}/{event.user.uuid}", [event.user.nick, comes])
    people = dict(bot.store.items(f"{key}/").values())
    bot.update(question(told, people), cards=buttons(lunch))


def question(told: dict[str, Any], people: dict[str, bool]) -> str:
    lines = [f":coffee: **Lunch at {told['at']}: {told['where']}** ({told['by']} asks)"]
    lines += [told["more"]] if told["more"] else []
    for comes, title in ((True, "Comes"), (False, "Not today")):
        names = sorted(name for name, answer in people.items() if answer is comes)
        lines += [f"{title}: {', '.join(names)}"] if names else []
    return "\n".join(lines)


def buttons(lunch: str) -> Sequence[Card]:
    payload = {"lunch": lunch}
    controls = [
        Button("come", "I come", payload, style="primary", uses=None),
        Button("stay", "Not today", payload, uses=None),
    ]
    return [Card(controls=controls)]
