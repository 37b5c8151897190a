"""The plugin that comes with malexbot: `/malex`, and `@bot help`.

It is written with what any plugin has; only its settings are malexbot itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from malexbot.config.permissions import Permission
from malexbot.errors import Permanent
from malexbot.events import Event
from malexbot.plugins.api import action, command, listen
from malexbot.plugins.decorated import Terms, handlers, read_plugin
from malexbot.plugins.handler import Handler
from malexbot.plugins.lines import Line, lines
from malexbot.plugins.permits import Roles
from malexbot.plugins.texts import spoken, text
from malexbot.ports import Bot, Button, Card, Found, Processor
from malexbot.ports.insight import Insight, Tally

LINES_A_PAGE = 12
FOUND_A_PAGE = 5
# Who wrote most, in /malex stats.
BUSIEST = 5
# How a state begins of which somebody should know: a plugin that is off, a reload.
_ODD = ("off", "refused", "failed", "drops")


class Nothing:
    """An insight before there is anything to look into."""

    def parts(self) -> Mapping[str, tuple[str, bool]]:
        return {}

    def tally(self, channel: object) -> Tally:
        return Tally()


class Knows(NamedTuple):
    """What this plugin has for settings."""

    insight: Insight = Nothing()
    handlers: Sequence[Processor] = ()
    """Whose help is told; its own among them."""


def built_in(
    insight: Insight | None = None,
    others: Sequence[Processor] = (),
    *,
    roles: Roles | None = None,
    permissions: Mapping[str, Permission] | None = None,
) -> Sequence[Handler]:
    """The handlers of this plugin, beside those of the others that it tells of."""
    plugin = read_plugin(sys.modules[__name__])
    assert plugin is not None, "its functions are decorated"
    own = handlers(plugin, Terms(roles or {}, permissions or {}), None)
    knows = Knows(insight or Nothing(), (*own, *others))
    for handler in own:
        handler.settings = knows
        # It tells of the archive, and of who runs it.
        handler.is_at_home = True
    return own


# Help.


@command("/malex", None)
def malex(event: Event, bot: Bot, *words: str) -> None:
    """Without a word, or with one that is not known: the help."""
    begin = ""
    if words:
        begin = text("no such word", bot.locale, name=words[0][:40].replace("`", "'"))
    shown, buttons = _help_page(event, bot, 1)
    bot.answer("\n\n".join(filter(None, (begin, shown))), cards=buttons)


@command("/malex help", {"en": "what I can do for you", "ru": "что я умею"})
def help(event: Event, bot: Bot) -> None:
    shown, buttons = _help_page(event, bot, 1)
    bot.answer(shown, cards=buttons)


@listen(
    pattern=r"(?i)^\W*(?:@[\w.-]+\W+)?(?:help|помощь|справка)\W*$",
    mention=True,
    direct=True,
)
def asked(event: Event, bot: Bot) -> None:
    """`@bot help`, and `help` in a direct message; all of it, as nobody turns pages."""
    shown = "\n".join(_help_lines(event, bot))
    bot.reply(f"{text('help', bot.locale)}\n{shown}", thread=True)


@action("help")
def turn_help(event: Event, bot: Bot, page: int) -> None:
    shown, buttons = _help_page(event, bot, page)
    bot.update(shown, cards=buttons)


def _help_page(event: Event, bot: Bot, page: int) -> tuple[str, Sequence[Card]]:
    told = list(_help_lines(event, bot))
    pages = max(1, -(-len(told) // LINES_A_PAGE))
    page = min(max(page, 1), pages)
    shown = told[(page - 1) * LINES_A_PAGE : page * LINES_A_PAGE]
    buttons = [
        _button("help", label, bot, page=number)
        for label, number in (("previous", page - 1), ("next", page + 1))
        if 1 <= number <= pages
    ]
    where = text("help page", bot.locale, page=page, pages=pages) if buttons else ""
    whole = "\n".join([text("help", bot.locale), *shown, *filter(None, ["", where])])
    return whole, _below(buttons)


def _help_lines(event: Event, bot: Bot) -> Iterator[str]:
    """What the person may set off here: commands, then what listens."""
    listening: list[Line] = []
    for line in lines(bot.settings.handlers, event):
        if line.usage:
            yield f"- `{line.usage}` – {spoken(line.help, bot.locale)}".rstrip(" –")
        else:
            listening.append(line)
    if listening:
        yield ""
        yield text("listens", bot.locale)
    for line in listening:
        yield f"- {spoken(line.help, bot.locale)}"


# What was said.


@command(
    "/malex find",
    {
        "en": 'find what was said: words, "in a row", -without, depl*',
        "ru": 'найти сказанное: слова, "подряд", -без, депл*',
    },
)
def find(event: Event, bot: Bot, *, words: str) -> None:
    shown, buttons = _found_page(bot, words, 0)
    bot.answer(shown, cards=buttons)


@action("find")
def turn_found(event: Event, bot: Bot, words: str, skip: int) -> None:
    shown, buttons = _found_page(bot, words, skip)
    bot.update(shown, cards=buttons)


def _found_page(bot: Bot, words: str, skip: int) -> tuple[str, Sequence[Card]]:
    locale, shown_words = bot.locale, words.replace("`", "'")[:100]
    try:
        found = bot.search(words, most=FOUND_A_PAGE + 1, skip=skip)
    except Permanent:
        found = ()
    if not found and not skip:
        return text("find nothing", locale, words=shown_words), ()
    told = [_found(each) for each in found[:FOUND_A_PAGE]]
    buttons = []
    if skip:
        before = max(0, skip - FOUND_A_PAGE)
        buttons.append(_button("find", "newer", bot, words=words, skip=before))
    if len(found) > FOUND_A_PAGE:
        after = skip + FOUND_A_PAGE
        buttons.append(_button("find", "next", bot, words=words, skip=after))
    head = text("found", locale, words=shown_words)
    return "\n".join([head, *(told or [text("no more", locale)])]), _below(buttons)


def _found(found: Found) -> str:
    when = f"{_time(found.said_at):%Y-%m-%d %H:%M}"
    where = f" in {found.channel}" if found.channel else ""
    return f"- **{found.user}**{where}, [{when}]({found.link}): {found.snippet}"


# How it is.


@command(
    "/malex stats",
    {"en": "what I keep of this channel", "ru": "что я храню из этого канала"},
)
def stats(event: Event, bot: Bot) -> None:
    tally = bot.settings.insight.tally(event.peer.bpid)
    if not tally.posts:
        bot.answer(text("nothing kept", bot.locale))
        return
    since = f"{_time(tally.first_at):%Y-%m-%d}"
    head = text("stats", bot.locale, posts=tally.posts, since=since)
    counts: dict[str, Any] = {"replies": tally.replies, "people": len(tally.people)}
    rows = [f"| {name} | {posts} |" for name, posts in tally.people[:BUSIEST]]
    table = [
        f"| {text('who', bot.locale)} | {text('posts', bot.locale)} |",
        "|:--|--:|",
        *rows,
    ]
    more = text("stats more", bot.locale, **counts)
    bot.answer("\n".join([head, more, "", *table]))


@command(
    "/malex status", {"en": "whether all is well with me", "ru": "всё ли у меня хорошо"}
)
def status(event: Event, bot: Bot) -> None:
    parts: Mapping[str, tuple[str, bool]] = bot.settings.insight.parts()
    is_well = all(is_ready for _, is_ready in parts.values())
    is_whole = not any(map(_is_odd, parts.values()))
    head = "unwell" if not is_well else "well" if is_whole else "well but"
    told = [
        f"- {_mark(part)} **{name}**: {part[0]}"
        for name, part in sorted(parts.items(), key=_ill_first)
    ]
    bot.answer("\n".join([text(head, bot.locale), *told]))


@command("/malex ping", {"en": "whether I am here", "ru": "на месте ли я"})
def ping(event: Event, bot: Bot) -> None:
    bot.answer(text("pong", bot.locale))


def _is_odd(part: tuple[str, bool]) -> bool:
    """Yes: somebody should look at it, though it keeps the rest from nothing."""
    return part[0].startswith(_ODD)


def _mark(part: tuple[str, bool]) -> str:
    return "✗" if not part[1] else "!" if _is_odd(part) else "✓"


def _ill_first(named: tuple[str, tuple[str, bool]]) -> tuple[bool, bool, str]:
    name, part = named
    return part[1], not _is_odd(part), name


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc)


def _button(action_name: str, label: str, bot: Bot, **payload: Any) -> Button:
    """Each is pressed once: the page that it leads to has buttons of its own."""
    return Button(action_name, text(label, bot.locale), payload=payload)


def _below(buttons: Sequence[Button]) -> Sequence[Card]:
    return [Card(controls=buttons)] if buttons else []
