"""What `malexbot plugin new` writes: a plugin that works, and its tests."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping

from malexbot.config.plugins import BUILTIN, OWN
from malexbot.errors import Permanent

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def files(name: str) -> Mapping[str, str]:
    """The texts by their file names; raises Permanent for what is no name."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        hint = "small letters, digits and _, a letter first: greet"
        raise Permanent(f"{name!r} is no name for a plugin; {hint}")
    if name in (*BUILTIN, OWN):
        raise Permanent(f"{name!r} is malexbot's own: take another name")
    return {
        f"{name}.py": PLUGIN.replace("NAME", name),
        f"test_{name}.py": TEST.replace("NAME", name),
        "conftest.py": CONFTEST,
    }


PLUGIN = '''\
"""Greets whom you name, and waves back."""

from __future__ import annotations

from malexbot import Bot, Button, Card, Event, Settings, action, command, listen


class Params(Settings):
    """What stands below `processors: {NAME: ...}` in the configuration."""

    word: str = "Hello"


@command("/NAME", "greet somebody")
def hello(event: Event, bot: Bot, who: str = "world") -> None:
    wave = Button("wave", "Wave back", {"who": who})
    bot.answer(f"{bot.settings.word}, {who}!", cards=[Card(controls=[wave])])


@action("wave")
def wave(event: Event, bot: Bot, who: str) -> None:
    count = bot.store.get("waves", 0) + 1
    bot.store.set("waves", count)
    bot.update(f":wave: {event.user.nick} waves to {who}, that is wave {count}.")


@listen(pattern=r"(?i)good (?P<part>morning|night)", help="says good morning back")
def answer(event: Event, bot: Bot, part: str) -> None:
    bot.reply(f"Good {part.lower()}, {event.user.nick}!", thread=True)
'''

TEST = '''\
"""NAME: on a stage, which takes no time, and once with all that belongs to it."""

from pathlib import Path

from malexbot.plugins.rehearsal import Rehearsal

PLUGIN = Path(__file__).with_name("NAME.py")


def test_it_greets_and_waves_back():
    plugin = Rehearsal(PLUGIN, settings={"word": "Hi"})
    turn = plugin.command("/NAME bob", by="alice")
    assert turn.answer == "Hi, bob!"
    waved = turn.press("Wave back", by="alice")
    assert waved.update == ":wave: alice waves to bob, that is wave 1."
    assert plugin.store == {"waves": 1}


def test_it_answers_on_a_server(mattermost, malexbot_daemon):
    malexbot_daemon(plugins=[PLUGIN], commands=["/NAME"])
    town = mattermost.town
    told = mattermost.acts.execute(town.alice, town.channel, "/NAME bob")
    assert told["text"] == "Hello, bob!"
    mattermost.scene.post(town.channel, town.alice, "Good morning, all!")
    (answer,) = mattermost.wait_for_posts(1)
    assert answer.text == "Good morning, alice!"
'''

CONFTEST = """\
pytest_plugins = ["malexbot.sandbox.fixtures"]
"""
