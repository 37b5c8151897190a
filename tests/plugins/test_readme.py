"""What the READMEs show people is what works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.pipeline.effects import Collector
from malexbot.plugins.loader import plug
from malexbot.ports import Effect, Occasion, Processor
from malexbot.processors import build, builtin
from tests.support.events import posted

ROOT = Path(__file__).parents[2]
SERVER = {"http_host": "chat.example.org", "token": "t", "listen_channels": ["*"]}


class Example(NamedTuple):
    """What a README says to write."""

    plugin: str
    settings: str


def example(readme: str, heading: str) -> Example:
    section = (ROOT / readme).read_text().split(f"\n## {heading}\n")[1]
    python, settings = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)[:2]
    return Example(python, settings)


def taken_in(shown: Example, folder: Path) -> Config:
    """As an operator would, beside the settings for the server."""
    blocks = yaml.safe_load(shown.settings)
    blocks["mattermost"] |= SERVER
    (plugin,) = blocks["plugins"]
    (folder / plugin).parent.mkdir(exist_ok=True)
    (folder / plugin).write_text(shown.plugin)
    file = folder / "malexbot.yaml"
    file.write_text(yaml.safe_dump(blocks))
    return load(file, environ={}, plug=plug)


def done(processor: Processor, text: str) -> list[Effect]:
    event, occasion = posted(text=text), Occasion(1)
    bot = Collector(event)
    if processor.wants(event, occasion):
        processor.handle(event, occasion, bot)
    return bot.effects


def test_the_first_example_answers(tmp_path: Path) -> None:
    shown = example("README.md", "Your own processor")
    save, shout = build(taken_in(shown, tmp_path), builtin())["posted"]
    (answer,) = done(shout, "!shout good morning")
    assert answer.payload["message"] == "GOOD MORNING"
    assert done(shout, "good morning") == []
    assert save.name == "save"


def test_the_first_example_is_short() -> None:
    text = (ROOT / "README.md").read_text().split("\n## Your own processor\n")[1]
    assert text.partition("\n## ")[0].count("\n") <= 25


def test_the_example_with_settings_uses_them(tmp_path: Path) -> None:
    shown = example("malexbot/plugins/README.md", "An example with settings")
    _, greet = build(taken_in(shown, tmp_path), builtin())["posted"]
    answer, wave = done(greet, "oh hi there")
    assert answer.payload["message"] == "Hello, alice!"
    assert answer.payload["root_id"] == "p1"
    assert wave.payload["emoji"] == "wave"
    assert done(greet, "hello") == []


@pytest.mark.parametrize("name", ["wants", "handle", "keeps", "look"])
def test_the_guide_names_all_that_is_called(name: str) -> None:
    assert f"| `{name}(event" in (ROOT / "malexbot/plugins/README.md").read_text()
