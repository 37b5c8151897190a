"""What people can ask of malexbot, gathered from all plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.events import Peer, User
from malexbot.plugins.lines import lines
from malexbot.plugins.offers import Offer, commands, offers
from malexbot.plugins.rehearsal import Rehearsal
from tests.plugins.conftest import Load
from tests.support.events import happened

PLUGIN = """
from typing import Literal
from malexbot import command, listen

@command("/deploy", {"en": "deploy it", "ru": "выложить"}, users=["anna"])
def deploy(event, bot, stage: Literal["dev", "prod"]): ...

@command("/rota take", "take over")
def take(event, bot): ...

@command("/rota give", "give it away")
def give(event, bot, who: str): ...

@command("/hidden", None)
def hidden(event, bot): ...

@listen(help="hears all")
def hear(event, bot): ...

@listen()
def spy(event, bot): ...
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    return file


def test_a_server_is_told_of_each_command_once(plugin: Path) -> None:
    assert offers(Rehearsal(plugin).handlers) == [
        Offer("/deploy", "dev|prod", "deploy it"),
        Offer("/rota", "[take|give]", "take over"),
        Offer("/hidden", "", ""),
    ]


def test_the_help_is_what_the_person_may_do(plugin: Path) -> None:
    handlers = Rehearsal(plugin).handlers
    event = happened("command")._replace(peer=Peer("c", "c"))
    for name, begin in (("anna", ["/deploy dev|prod"]), ("boris", [])):
        asked = event._replace(user=User(f"{name}-id", nick=name))
        usages = [line.usage for line in lines(handlers, asked)]
        assert usages == [*begin, "/rota take", "/rota give who", ""]
    assert len(list(lines(handlers))) == 4


def test_malexbots_own_command_is_among_them(load: Load, plugin: Path) -> None:
    found = commands(load(plugins=[str(plugin)]).config)
    assert [each.name for each in found] == ["/malex", "/deploy", "/rota", "/hidden"]
    assert found[0].usage == "[help|find|stats|status|ping]"
    assert found[0].help == "what I can do for you"
