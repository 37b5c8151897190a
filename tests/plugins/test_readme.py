"""What the READMEs show people is what works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.events import Command, Event, Message, Peer, Reaction, User
from malexbot.pipeline.effects import Collector
from malexbot.plugins.api import Options
from malexbot.plugins.loader import plug
from malexbot.plugins.rehearsal import Rehearsal
from malexbot.plugins.starter import files
from malexbot.ports import Bot, Effect, Occasion, Processor, Shelf
from malexbot.processors import build, builtin
from tests.support.events import posted

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "malexbot/plugins/README.md").read_text()
SERVER = {"http_host": "chat.example.org", "token": "t", "listen_channels": ["*"]}


class Example(NamedTuple):
    """What a README says to write."""

    plugin: str
    settings: str


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def example(text: str) -> Example:
    return Example(blocks(text, "python")[0], blocks(text, "yaml")[0])


def taken_in(shown: Example, folder: Path) -> Config:
    """As an operator would, beside the settings for the server."""
    settings = yaml.safe_load(shown.settings)
    settings["mattermost"] = {**settings.get("mattermost", {}), **SERVER}
    (plugin,) = settings["plugins"]
    (folder / plugin).parent.mkdir(exist_ok=True)
    (folder / plugin).write_text(shown.plugin)
    file = folder / "malexbot.yaml"
    file.write_text(yaml.safe_dump(settings))
    return load(file, environ={}, plug=plug)


def done(processor: Processor, text: str) -> list[Effect]:
    event, occasion = posted(text=text), Occasion(1)
    bot = Collector(event)
    if processor.wants(event, occasion):
        processor.handle(event, occasion, bot)
    return bot.effects


# The first one, in the README of malexbot itself.


def test_the_first_example_answers(tmp_path: Path) -> None:
    text = section((ROOT / "README.md").read_text(), "Your own plugin")
    config = taken_in(example(text), tmp_path)
    assert [each.name for each in config.plugged.handlers] == ["shout.shout"]
    plugin = Rehearsal(tmp_path / "malexbot" / "shout.py")
    turn = plugin.command("/shout good morning")
    assert (turn.answer, turn.said[0].in_channel) == ("GOOD MORNING", True)


def test_the_first_example_is_short() -> None:
    text = section((ROOT / "README.md").read_text(), "Your own plugin")
    assert text.count("\n") <= 25


# The guide.


def test_the_example_at_its_top_does_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "deploy.py").write_text(blocks(GUIDE, "python")[0])
    deploy = Rehearsal(tmp_path / "deploy.py", roles={"ops": ["anna"]})
    turn = deploy.command("/deploy prod", by="anna")
    assert turn.answer == "Deploy to **prod**?"
    assert turn.press("Go").update == "anna deploys to prod."
    usage = deploy.command("/deploy", by="anna").answer
    assert "Write it so: `/deploy dev|prod`" in usage
    assert deploy.command("/deploy prod", by="boris").refused


def test_the_ten_minutes_end_with_a_tested_plugin(tmp_path: Path) -> None:
    """Word for word, but for the installation."""
    told = section(GUIDE, "Your first one, in ten minutes")
    plugin, test = blocks(told, "python")
    for file, text in files("greet").items():
        (tmp_path / file).write_text(text)
    for file, more in (("greet.py", plugin), ("test_greet.py", test)):
        with (tmp_path / file).open("a") as end:
            end.write(more)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "3 passed" in run.stdout, run.stdout + run.stderr
    assert "malexbot plugin new greet" in told


def test_its_settings_are_such_that_a_check_takes_them(tmp_path: Path) -> None:
    told = section(GUIDE, "Settings, and who may")
    params, terms = blocks(told, "python")[0], yaml.safe_load(blocks(told, "yaml")[0])
    status = (
        "\nfrom malexbot import command\n@command('/d')\ndef status(event, bot): ..."
    )
    (tmp_path / "deploy.py").write_text(params + status)
    (tmp_path / "github").write_text("0123456789abcdef")
    terms["webhooks"]["github"]["secret_file"] = "github"
    file = tmp_path / "malexbot.yaml"
    file.write_text(yaml.safe_dump({"plugins": ["deploy.py"], **terms}))
    config = load(file, environ={}, plug=plug)
    assert set(config.permissions) == {"deploy", "deploy.status"}


def test_the_class_uses_its_settings(tmp_path: Path) -> None:
    shown = example(section(GUIDE, "Classes"))
    _, greet = build(taken_in(shown, tmp_path), builtin())["posted"]
    answer, wave = done(greet, "oh hi there")
    assert answer.payload["message"] == "Hello, alice!"
    assert answer.payload["root_id"] == "p1"
    assert wave.payload["emoji"] == "wave"
    assert done(greet, "hello") == []


@pytest.mark.parametrize("name", ["wants", "handle", "keeps", "look"])
def test_the_guide_names_all_that_is_called(name: str) -> None:
    assert f"| `{name}(event" in GUIDE


@pytest.mark.parametrize("port", [Bot, Shelf])
def test_the_guide_names_all_that_a_bot_does(port: type) -> None:
    for name in vars(port):
        if not name.startswith("_"):
            assert re.search(rf"`bot\.[\w./`, ]*\b{name}\b", GUIDE), name


@pytest.mark.parametrize("name", Options.__annotations__)
def test_the_guide_names_all_that_decorators_take(name: str) -> None:
    assert re.search(rf"`{name}\b", GUIDE)


def test_the_guide_names_only_what_an_event_has() -> None:
    told = section(GUIDE, "What it is told")
    parts = {"user": User, "peer": Peer, "message": Message, "reaction": Reaction}
    parts |= {"command": Command}
    for first, second in re.findall(r"`event\.(\w+)(?:\.(\w+))?`", told):
        assert first in Event._fields
        assert not second or second in parts[first]._fields, (first, second)
