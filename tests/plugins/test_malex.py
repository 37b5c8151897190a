"""`/malex`, as people see it: help, find, stats, status, ping, in two languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from malexbot.config.permissions import Permission
from malexbot.errors import Permanent
from malexbot.plugins import malex
from malexbot.plugins.rehearsal import Rehearsal
from malexbot.plugins.texts import TEXTS, spoken
from malexbot.plugins.turn import Actor
from malexbot.ports import Found, Processor
from malexbot.ports.insight import Tally


class Insight:
    is_well = True
    plugin = "on"
    told = Tally()

    def parts(self) -> Mapping[str, tuple[str, bool]]:
        return {
            "intake": ("writes", True),
            "plugin x.py": (self.plugin, True),
            "server": ("connected", self.is_well),
        }

    def tally(self, channel: object) -> Tally:
        return self.told if channel == "town" else Tally()


@pytest.fixture
def insight() -> Insight:
    return Insight()


def staged(
    insight: Insight,
    others: Sequence[Processor] = (),
    locale: str = "en",
    permissions: Mapping[str, Permission] | None = None,
) -> Rehearsal:
    stage = Rehearsal("malexbot.plugins.malex", locale=locale)
    stage.handlers = malex.built_in(insight, others, permissions=permissions)
    return stage


def found(number: int) -> Found:
    return Found(
        post_id=f"p{number}",
        channel_id="c1",
        channel="Town Square",
        user="anna",
        said_at=1_700_000_000_000 + number,
        snippet=f"the **deploy** {number}",
        link=f"http://chat/pl/p{number}",
    )


# Help.


@pytest.mark.parametrize("given", ["/malex", "/malex help", "/malex HELP"])
def test_the_help_tells_what_there_is(insight: Insight, given: str) -> None:
    assert staged(insight).command(given).answer == (
        "#### What I can do for you\n"
        "- `/malex help` – what I can do for you\n"
        '- `/malex find words …` – find what was said: words, "in a row", -without,'
        " depl*\n"
        "- `/malex stats` – what I keep of this channel\n"
        "- `/malex status` – whether all is well with me\n"
        "- `/malex ping` – whether I am here"
    )


def test_it_speaks_russian_to_who_does(insight: Insight) -> None:
    answer = staged(insight, locale="ru").command("/malex").answer
    assert answer.startswith("#### Что я умею\n- `/malex help` – что я умею")


def test_an_unknown_word_is_told_with_the_help(insight: Insight) -> None:
    answer = staged(insight).command("/malex dance `now`").answer
    assert answer.startswith("There is no `dance`. There are:\n\n#### What I can")


def test_plugins_stand_in_it_and_pages_are_turned(
    insight: Insight, tmp_path: Path
) -> None:
    text = "from malexbot import *\n" + "".join(
        f"@command('/c{n:02}', 'number {n}')\ndef c{n}(event, bot): ...\n"
        for n in range(20)
    )
    text += "@listen(help='hears you')\ndef hear(event, bot): ...\n"
    (tmp_path / "many.py").write_text(text)
    others = Rehearsal(tmp_path / "many.py").handlers
    first = staged(insight, others).command("/malex")
    assert "number 6" in first.answer and "number 7" not in first.answer
    assert first.answer.endswith("Page 1 of 3")
    assert first.buttons == ["More ▶"]
    second = first.press("More ▶")
    assert "number 7" in second.update and "number 6" not in second.update
    assert second.buttons == ["◀ Back", "More ▶"]
    third = second.press("More ▶")
    assert third.update.count("hears you") == 1
    assert third.press("◀ Back").update == second.update


def test_a_command_without_a_help_is_in_it_by_how_it_is_written(
    insight: Insight, tmp_path: Path
) -> None:
    (tmp_path / "terse.py").write_text("""\
from malexbot import *

@command("/roll")
def roll(event, bot, sides: int): ...

@command("/deploy")
def deploy(event, bot): ...

@command("/deploy undo", "take it back")
def undo(event, bot): ...

@listen("posted")
def hear(event, bot): ...
""")
    others = Rehearsal(tmp_path / "terse.py").handlers
    told = staged(insight, others).command("/malex").answer.splitlines()
    assert told[-3:] == [
        "- `/roll sides`",
        "- `/deploy`",
        "- `/deploy undo` – take it back",
    ]


def test_what_one_may_not_use_is_not_in_the_help(insight: Insight) -> None:
    permissions = {"malex.status": Permission(users=("anna",))}
    stage = staged(insight, permissions=permissions)
    assert "status" not in stage.command("/malex", by="boris").answer
    assert "status" in stage.command("/malex", by="anna").answer
    assert stage.command("/malex status", by="boris").refused


@pytest.mark.parametrize(
    "said", ["@malex help", "@malex: Help!", "help", "@malex, помощь"]
)
def test_it_is_asked_by_name_too(insight: Insight, said: str) -> None:
    turn = staged(insight).say(said, mention=True)
    (post,) = turn.posts
    assert post.root_id == turn.event.event_id
    assert "/malex find" in post.text
    assert staged(insight).say("help", direct=True).posts


@pytest.mark.parametrize("said", ["help me please", "@malex do help", "helpful"])
def test_other_talk_is_not_answered(insight: Insight, said: str) -> None:
    assert staged(insight).say(said, mention=True).called == []
    assert staged(insight).say("help").called == []


# Find.


def test_what_was_said_is_found_a_page_at_a_time(insight: Insight) -> None:
    stage = staged(insight)
    stage.finds(*map(found, range(12)))
    first = stage.command("/malex find deploy server")
    assert first.answer.splitlines()[:2] == [
        "#### Found for `deploy server`",
        "- **anna** in Town Square, [2023-11-14 22:13](http://chat/pl/p0):"
        " the **deploy** 0",
    ]
    assert first.answer.count("anna") == 5
    assert first.buttons == ["More ▶"]
    third = first.press("More ▶").press("More ▶")
    assert third.update.count("anna") == 2
    assert third.buttons == ["◀ Better"]
    assert "the **deploy** 5" in third.press("◀ Better").update


def test_nothing_found_says_where_was_looked(insight: Insight) -> None:
    turn = staged(insight).command("/malex find `x`")
    assert turn.answer.startswith("Nothing found for `'x'`. I look where you may read")
    assert turn.buttons == []


def test_words_that_are_none_find_nothing(
    insight: Insight, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(self: object, words: str, **bounds: int) -> Sequence[Found]:
        raise Permanent("there is no word in it to look for")

    monkeypatch.setattr(Actor, "search", search)
    assert "Nothing found" in staged(insight).command("/malex find !!!").answer


def test_find_needs_words(insight: Insight) -> None:
    answer = staged(insight).command("/malex find").answer
    assert answer == "`words` is missing. Write it so: `/malex find words …`"


# How it is.


def test_stats_are_of_this_channel(insight: Insight) -> None:
    people = [(name, 9 - n) for n, name in enumerate("abcdefg")]
    insight.told = Tally(1234, 100, 1_700_000_000_000, people)
    assert staged(insight).command("/malex stats").answer == (
        "#### Posts kept of this channel: 1234, since 2023-11-14\n"
        "Answers in threads: 100, people: 7.\n\n"
        "| Who | Posts |\n|:--|--:|\n"
        "| a | 9 |\n| b | 8 |\n| c | 7 |\n| d | 6 |\n| e | 5 |"
    )
    empty = staged(insight).command("/malex stats", channel="secret")
    assert empty.answer == "Nothing of this channel is kept."


def test_the_status_begins_with_what_is_wrong(insight: Insight) -> None:
    stage = staged(insight)
    assert stage.command("/malex status").answer.startswith("#### ✓ All is well")
    insight.plugin = "off: line 1: no"
    assert stage.command("/malex status").answer == (
        "#### ! I work, but not with all that I should\n"
        "- ! **plugin x.py**: off: line 1: no\n- ✓ **intake**: writes\n"
        "- ✓ **server**: connected"
    )
    insight.is_well = False
    assert stage.command("/malex status").answer == (
        "#### ✗ Not all is well\n- ✗ **server**: connected\n"
        "- ! **plugin x.py**: off: line 1: no\n- ✓ **intake**: writes"
    )


def test_a_ping_is_answered(insight: Insight) -> None:
    answer = staged(insight).command("/malex ping").answer
    assert answer.startswith("pong – I am here")


def test_every_text_is_there_in_both_languages() -> None:
    for name, words in TEXTS.items():
        assert set(words) == {"en", "ru"}, name
    words = {"en": "one", "ru": "один"}
    spoken_to = {locale: spoken(words, locale) for locale in ("ru-RU", "de", "en")}
    assert spoken_to == {"ru-RU": "один", "de": "one", "en": "one"}
