"""A stand-up in writing: a button in the morning, a dialog, and a summary.

    plugins: [plugins/standup.py]
    processors:
      standup:
        channel: 8h3k1…                   # the id of the team's channel
        people: [anna, boris, clara]      # who is expected; may be left out

At nine, from Monday to Friday, the bot asks in the channel. Whoever presses the button
fills in three lines, and may change them by pressing again. The message shows who has
reported; at eleven all of it stands in its thread, with the names of who has not.
Change the two `@cron` lines for other times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from malexbot import (
    Bot,
    Button,
    Card,
    Dialog,
    Event,
    Field,
    Settings,
    action,
    command,
    cron,
    dialog,
)

ZONE = "Europe/Berlin"


class Params(Settings):
    channel: str
    people: list[str] = []


@cron("0 9 * * mon-fri", tz=ZONE, max_age="1h")
def ask(event: Event, bot: Bot) -> None:
    day = today(event)
    bot.post(
        bot.settings.channel,
        question(bot, day),
        cards=button(day),
        name=f"standup/{day}",
    )


@action("report")
def report(event: Event, bot: Bot, day: str) -> None:
    bot.open_dialog(form(event, bot, day))


@command("/standup", {"en": "write your report", "ru": "написать свой отчёт"})
def standup(event: Event, bot: Bot) -> None:
    bot.open_dialog(form(event, bot, today(event)))


@command("/standup show", {"en": "today's reports", "ru": "отчёты за сегодня"})
def show(event: Event, bot: Bot) -> None:
    bot.answer(summary(bot, today(event)))


@dialog("report")
def filled(
    event: Event,
    bot: Bot,
    day: str,
    name: str,
    plan: str,
    done: str = "",
    stuck: str = "",
) -> None:
    told = {"name": name, "done": done, "plan": plan, "stuck": stuck}
    # Under the person's id: `malexbot erase-user` finds it there.
    bot.store.set(f"{day}/{event.user.uuid}", told)
    # Of two who report at once both change this: the later one runs anew, and sees
    # what the other one wrote.
    bot.store.set(day, bot.store.get(day, 0) + 1)
    # The shelf shows what was just put there, so the message counts it.
    if post_id := bot.named(f"standup/{day}"):
        bot.edit(bot.settings.channel, post_id, question(bot, day), cards=button(day))


@cron("0 11 * * mon-fri", tz=ZONE, max_age="1h")
def sum_up(event: Event, bot: Bot) -> None:
    day = today(event)
    post_id = bot.named(f"standup/{day}")
    bot.post(bot.settings.channel, summary(bot, day), root_id=post_id)
    for key in bot.store.items():
        if key < f"{day}/":
            bot.store.delete(key)


# What is shown.


def today(event: Event) -> str:
    at = datetime.fromtimestamp(event.occurred_at / 1000, ZoneInfo(ZONE))
    return f"{at:%Y-%m-%d}"


def reports(bot: Bot, day: str) -> Mapping[str, Mapping[str, str]]:
    """What people wrote, by their names."""
    return {told["name"]: told for told in bot.store.items(f"{day}/").values()}


def missing(bot: Bot, day: str) -> Sequence[str]:
    told = reports(bot, day)
    return [name for name in bot.settings.people if name not in told]


def question(bot: Bot, day: str) -> str:
    told = ", ".join(reports(bot, day)) or "nobody yet"
    return f":sunrise: **Stand-up of {day}** – what is on today?\nReported: {told}."


def button(day: str) -> Sequence[Card]:
    # Everybody presses it, and may do so again.
    press = Button(
        "report", "Report", {"day": day}, style="primary", uses=None, expires_s=86400
    )
    return [Card(controls=[press])]


def form(event: Event, bot: Bot, day: str) -> Dialog:
    """With what the person wrote before, if anything."""
    told: Any = bot.store.get(f"{day}/{event.user.uuid}", {})
    return Dialog(
        "report",
        f"Stand-up {day}",
        [
            _lines("done", "What is done?", told),
            _lines("plan", "What is on today?", told, is_optional=False),
            _lines("stuck", "What is in the way?", told),
        ],
        submit_label="Report",
        payload={"day": day, "name": event.user.nick or str(event.user.uuid)},
    )


def _lines(
    name: str, label: str, told: Mapping[str, str], *, is_optional: bool = True
) -> Field:
    return Field(
        name,
        label,
        "textarea",
        default=told.get(name, ""),
        is_optional=is_optional,
        max_length=1000,
    )


def summary(bot: Bot, day: str) -> str:
    lines = [f"#### Stand-up of {day}"]
    for name, told in reports(bot, day).items():
        lines.append(f"**{name}**: {told['plan']}")
        if told["done"]:
            lines.append(f"- done: {told['done']}")
        if told["stuck"]:
            lines.append(f"- :warning: in the way: {told['stuck']}")
    if len(lines) == 1:
        lines.append("Nobody has reported.")
    if names := missing(bot, day):
        lines.append(f"Not heard of: {', '.join(f'@{name}' for name in names)}")
    return "\n".join(lines)
