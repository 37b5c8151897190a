"""Who is on call: a rota, taking over, and pages that go on until somebody has them.

    plugins: [plugins/oncall.py]
    processors:
      oncall:
        people: [anna, boris, clara]      # user names, in their order
        channel: 8h3k1…                   # the id of the channel where it is told
        begins: 2026-11-23                # a day on which the first one's turn begins

`/oncall` tells who it is; `/oncall take` takes over; `/oncall page the shop is down`
wakes whoever it is, and after five minutes without an answer the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Annotated, Any

from pydantic import Field

from malexbot import (
    Bot,
    Button,
    Card,
    Duration,
    Event,
    Settings,
    action,
    command,
    cron,
    every,
)

# When turns change; the zone of `@cron` below is the same.
ZONE = timezone.utc
HANDOVER = time(9, 0)


class Params(Settings):
    people: Annotated[list[str], Field(min_length=1)]
    channel: str
    begins: date
    turn: Duration = 7 * 86400.0
    patience: Duration = 300.0


# Asking.


@command("/oncall", {"en": "who is on call", "ru": "кто дежурит"})
def oncall(event: Event, bot: Bot) -> None:
    at = when(event)
    _, until = turn_at(bot.settings, at)
    now, *rest = [on_call(bot, at), *following(bot.settings, at)]
    text = f"**@{now}** is on call until {until:%a %d %b %H:%M} UTC."
    if rest:
        text += f" Then: {', '.join(rest)}."
    bot.answer(text, cards=[Card(controls=[Button("take", "I take over")])])


@command("/oncall take", {"en": "take over now", "ru": "взять дежурство на себя"})
def take(event: Event, bot: Bot) -> None:
    bot.answer(taken_over(event, bot))


@action("take")
def take_by_button(event: Event, bot: Bot) -> None:
    bot.update(taken_over(event, bot))


def taken_over(event: Event, bot: Bot) -> str:
    """Until the turn ends it is who asks; everybody else is told."""
    who, at = event.user.nick or "", when(event)
    if who not in bot.settings.people:
        return "You are not on the rota; ask whoever runs it."
    before = on_call(bot, at)
    if who == before:
        return "It is you already."
    _, until = turn_at(bot.settings, at)
    cover = {"who": who, "id": event.user.uuid, "until": until.timestamp()}
    bot.store.set("cover", cover)
    bot.store.set("told", who)
    bot.post(bot.settings.channel, f":telephone: **@{who}** takes over from {before}.")
    return f"You are on call until {until:%a %d %b %H:%M} UTC. Thank you!"


@cron("0 9 * * *")
def handover(event: Event, bot: Bot) -> None:
    """Once a day it is looked whether the turn has changed."""
    who, before = on_call(bot, when(event)), bot.store.get("told")
    if who == before:
        return
    bot.store.set("told", who)
    thanks = f" Thank you, {before}!" if before else ""
    bot.post(bot.settings.channel, f":telephone: **@{who}** is on call now.{thanks}")


# Paging.


@command("/oncall page", {"en": "wake whoever it is", "ru": "разбудить дежурного"})
def page(event: Event, bot: Bot, *, what: str) -> None:
    at = when(event)
    asked = list(dict.fromkeys([on_call(bot, at), *following(bot.settings, at)]))
    alarm = {
        "what": what,
        "by": event.user.nick,
        "id": event.user.uuid,
        "asked": asked,
        "turn": 0,
        "since": at.timestamp(),
    }
    bot.store.set(f"page/{event.event_id}", alarm)
    bot.post(
        bot.settings.channel,
        told(alarm),
        cards=buttons(event.event_id),
        name=f"page/{event.event_id}",
    )
    bot.answer(f"@{asked[0]} is told.")


@action("have")
def have(event: Event, bot: Bot, page: str) -> None:
    alarm = bot.store.get(f"page/{page}")
    if alarm is None:
        bot.refuse("Somebody has it already.")
        return
    bot.store.delete(f"page/{page}")
    took_s = when(event).timestamp() - alarm["since"]
    bot.update(
        f":white_check_mark: **{alarm['what']}** (asked by {alarm['by']})\n"
        f"@{event.user.nick} has it, {took_s / 60:.0f} min after the last call."
    )


@action("pass")
def pass_on(event: Event, bot: Bot, page: str) -> None:
    alarm = bot.store.get(f"page/{page}")
    if alarm is None:
        bot.refuse("Somebody has it already.")
        return
    alarm = next_asked(alarm, when(event))
    bot.store.set(f"page/{page}", alarm)
    bot.update(told(alarm), cards=buttons(page))
    tell_next(bot, alarm, bot.named(f"page/{page}"))


@every("1m")
def escalate(event: Event, bot: Bot) -> None:
    """Who does not answer is not asked again; the next one is."""
    at = when(event)
    for key, alarm in bot.store.items("page/").items():
        if at.timestamp() - alarm["since"] < bot.settings.patience:
            continue
        page, post_id = key.removeprefix("page/"), bot.named(key)
        alarm = next_asked(alarm, at)
        bot.store.set(key, alarm)
        if post_id:
            bot.edit(bot.settings.channel, post_id, told(alarm), cards=buttons(page))
        tell_next(bot, alarm, post_id)


def next_asked(alarm: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**alarm, "turn": alarm["turn"] + 1, "since": at.timestamp()}


def tell_next(bot: Bot, alarm: dict[str, Any], post_id: str) -> None:
    """An edit wakes nobody: so it is said in the thread too."""
    text = f"@{asked_now(alarm)}: {alarm['what']}"
    bot.post(bot.settings.channel, text, root_id=post_id)


def asked_now(alarm: dict[str, Any]) -> str:
    """Round and round: a page never ends by itself."""
    asked: list[str] = alarm["asked"]
    number: int = alarm["turn"]
    return asked[number % len(asked)]


def told(alarm: dict[str, Any]) -> str:
    asked = asked_now(alarm)
    return f":rotating_light: **{alarm['what']}**\n@{asked}, {alarm['by']} asks you."


def buttons(page: str) -> Sequence[Card]:
    return [
        Card(
            controls=[
                Button("have", "I have it", {"page": page}, style="primary"),
                Button("pass", "Ask the next one", {"page": page}),
            ]
        )
    ]


# The rota.


def when(event: Event) -> datetime:
    return datetime.fromtimestamp(event.occurred_at / 1000, ZONE)


def turn_at(settings: Params, at: datetime) -> tuple[int, datetime]:
    """The number of the turn, and when it ends."""
    begins = datetime.combine(settings.begins, HANDOVER, ZONE)
    length = timedelta(seconds=settings.turn)
    number = (at - begins) // length
    return number, begins + (number + 1) * length


def on_call(bot: Bot, at: datetime) -> str:
    cover = bot.store.get("cover")
    if cover and at.timestamp() < cover["until"]:
        return str(cover["who"])
    number, _ = turn_at(bot.settings, at)
    people: list[str] = bot.settings.people
    return people[number % len(people)]


def following(settings: Params, at: datetime) -> Sequence[str]:
    """Who comes after this turn, all others once."""
    number, _ = turn_at(settings, at)
    people = settings.people
    return [people[(number + n) % len(people)] for n in range(1, len(people))]
