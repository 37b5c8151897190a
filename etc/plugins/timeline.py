"""What happened when: the timeline of an incident, made from the archive.

    plugins: [plugins/timeline.py]

`/timeline note rolled back to 4.2` writes something down in a channel while it burns.
`/timeline shop OR checkout` finds what was said about it, wherever you may read, puts
the channel's notes among it, and shows it in its order, to you alone. A button then
posts it for all in the channel, another one as a file for the post-mortem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from malexbot import Bot, Button, Card, Event, Permanent, Settings, action, command

# What a message shows; a file has all that was looked for.
SHOWN = 20
MOST = 100


class Params(Settings):
    most: int = MOST


class Moment(NamedTuple):
    """One line of it."""

    at_ms: int
    who: str
    where: str
    text: str
    link: str = ""


@command(
    "/timeline note",
    {"en": "write down what happens now", "ru": "записать, что происходит сейчас"},
)
def note(event: Event, bot: Bot, *, text: str) -> None:
    # The number of the moment keeps the notes in their order.
    key = f"{event.peer.bpid}/{event.occurred_at:015d}/{event.event_id}"
    told = {
        "at": event.occurred_at,
        "who": event.user.nick or "",
        "id": event.user.uuid,
        "text": text,
    }
    bot.store.set(key, told)
    bot.answer(f":memo: **{event.user.nick}**: {text}", in_channel=True)


@command(
    "/timeline forget",
    {"en": "forget the notes of this channel", "ru": "забыть заметки этого канала"},
)
def forget(event: Event, bot: Bot) -> None:
    notes = bot.store.items(f"{event.peer.bpid}/")
    for key in notes:
        bot.store.delete(key)
    bot.answer(f"{len(notes)} notes are forgotten.")


@command(
    "/timeline",
    {"en": "what was said and noted, in its order", "ru": "что и когда происходило"},
)
def timeline(event: Event, bot: Bot, *, words: str = "") -> None:
    moments = gathered(event, bot, words)
    if not moments:
        bot.answer(
            "Nothing found. `/timeline WORDS` looks into the archive,"
            " `/timeline note TEXT` writes something down."
        )
        return
    controls = [
        Button("post", "Post it here", {"words": words}, style="primary"),
        Button("file", "As a file", {"words": words}),
    ]
    bot.answer(shown(moments), cards=[Card(controls=controls)])


@action("post")
def post(event: Event, bot: Bot, words: str) -> None:
    bot.post(event.peer.bpid, shown(gathered(event, bot, words)))
    bot.update("It is posted.")


@action("file")
def file(event: Event, bot: Bot, words: str) -> None:
    moments = gathered(event, bot, words)
    text = "\n".join([f"# Timeline: {words}", "", *map(line, moments), ""])
    about = f"The timeline, {len(moments)} moments."
    bot.upload(event.peer.bpid, "timeline.md", text.encode(), text=about)
    bot.update("It is posted as a file.")


def gathered(event: Event, bot: Bot, words: str) -> Sequence[Moment]:
    """What was said, where the person may read, and the channel's notes."""
    return sorted([*said(bot, words), *noted(event, bot)])


def said(bot: Bot, words: str) -> Iterator[Moment]:
    if not words:
        return
    try:
        found = bot.search(words, most=bot.settings.most)
    except Permanent:
        # There is no word in it to look for.
        return
    for each in found:
        # Whom it called then it does not call again.
        text = each.snippet.replace("@", "@\N{ZERO WIDTH SPACE}")
        yield Moment(each.said_at, each.user, each.channel, text, each.link)


def noted(event: Event, bot: Bot) -> Iterator[Moment]:
    for told in bot.store.items(f"{event.peer.bpid}/").values():
        yield Moment(told["at"], told["who"], "", f":memo: {told['text']}")


def shown(moments: Sequence[Moment]) -> str:
    """As a message: the newest of them, if there are too many."""
    left = len(moments) - SHOWN
    head = ["#### Timeline"]
    if left > 0:
        head.append(f"_{left} earlier ones are left out; the file has them._")
    return "\n".join([*head, *map(line, moments[-SHOWN:])])


def line(moment: Moment) -> str:
    at = datetime.fromtimestamp(moment.at_ms / 1000, timezone.utc)
    when = f"{at:%Y-%m-%d %H:%M:%S}"
    when = f"[{when}]({moment.link})" if moment.link else when
    where = f" in {moment.where}" if moment.where else ""
    return f"- {when} **{moment.who}**{where}: {moment.text}"
