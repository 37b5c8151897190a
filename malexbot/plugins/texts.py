"""What malexbot itself says to people, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# One text for everybody, or one a language; English stands in for those that miss.
Words = str | Mapping[str, str]

OTHERWISE = "en"


def spoken(words: Words, locale: str) -> str:
    """The words in this language, or in the next best one."""
    if isinstance(words, str):
        return words
    language = locale.partition("-")[0].lower()
    for known in (locale, language, OTHERWISE):
        if known in words:
            return words[known]
    return next(iter(words.values()), "")


def text(name: str, locale: str, /, **values: Any) -> str:
    """One of the texts below, filled in."""
    return spoken(TEXTS[name], locale).format(**values)


TEXTS: Mapping[str, Mapping[str, str]] = {
    # Of any handler.
    "not allowed": {
        "en": "You may not do this here. Whoever runs malexbot decides who may.",
        "ru": "Здесь вам это нельзя. Кому можно, решает тот, у кого malexbot работает.",
    },
    "missing": {"en": "`{name}` is missing.", "ru": "Не хватает `{name}`."},
    "unfit": {
        "en": "`{value}` does not fit `{name}`.",
        "ru": "`{value}` не подходит для `{name}`.",
    },
    "unfit field": {"en": "This does not fit.", "ru": "Это не подходит."},
    "too much": {"en": "`{value}` is too much.", "ru": "`{value}` – лишнее."},
    "usage": {"en": "Write it so: {usage}", "ru": "Пишите так: {usage}"},
    "no such word": {
        "en": "There is no `{name}`. There are:",
        "ru": "Такого нет: `{name}`. Есть вот что:",
    },
    # Of /malex.
    "help": {
        "en": "#### What I can do for you",
        "ru": "#### Что я умею",
    },
    "help page": {"en": "Page {page} of {pages}", "ru": "Страница {page} из {pages}"},
    "listens": {"en": "I also listen:", "ru": "А ещё я слушаю:"},
    "previous": {"en": "◀ Back", "ru": "◀ Назад"},
    "next": {"en": "More ▶", "ru": "Дальше ▶"},
    "newer": {"en": "◀ Better", "ru": "◀ Точнее"},
    "find nothing": {
        "en": "Nothing found for `{words}`. I look where you may read and I was told"
        " to keep what is said. `depl*` finds every word that begins so.",
        "ru": "По запросу `{words}` ничего нет. Я ищу там, где вам можно читать и где"
        " мне велено хранить сказанное. `депл*` найдёт все слова с таким началом.",
    },
    "found": {
        "en": "#### Found for `{words}`",
        "ru": "#### Найдено по запросу `{words}`",
    },
    "no more": {"en": "That was all.", "ru": "Больше ничего нет."},
    "pong": {"en": "pong – I am here.", "ru": "pong – я на месте."},
    "well": {"en": "#### ✓ All is well", "ru": "#### ✓ Всё хорошо"},
    "well but": {
        "en": "#### ! I work, but not with all that I should",
        "ru": "#### ! Я работаю, но не всё в порядке",
    },
    "unwell": {
        "en": "#### ✗ Not all is well",
        "ru": "#### ✗ Не всё хорошо",
    },
    "nothing kept": {
        "en": "Nothing of this channel is kept.",
        "ru": "Из этого канала ничего не хранится.",
    },
    "stats": {
        "en": "#### Posts kept of this channel: {posts}, since {since}",
        "ru": "#### Хранится сообщений этого канала: {posts}, с {since}",
    },
    "stats more": {
        "en": "Answers in threads: {replies}, people: {people}.",
        "ru": "Ответов в ветках: {replies}, людей: {people}.",
    },
    "who": {"en": "Who", "ru": "Кто"},
    "posts": {"en": "Posts", "ru": "Сообщений"},
}
