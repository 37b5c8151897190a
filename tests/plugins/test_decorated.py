"""Plugins of functions are switched on by themselves, as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.config.problems import ConfigProblems
from malexbot.processors import build, builtin
from tests.plugins.conftest import Load

HEAD = "from malexbot import *\n"
HELLO = HEAD + """
class Params(Settings):
    word: str = "hello"

@command("/hello", "say hello")
def hello(event, bot): bot.answer(bot.settings.word)

@listen()
def hear(event, bot): ...
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def test_its_plugin_alone_switches_a_function_on(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "hello.py", HELLO)
    loaded = load("save", plugins=["hello.py"])
    assert (loaded.warnings, loaded.failures) == ((), ())
    built = build(loaded.config, builtin())
    assert [each.name for each in built["posted"]] == ["save", "hello.hear"]
    assert [each.name for each in built["command"]] == ["hello.hello"]


def test_its_settings_have_its_name(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "hello.py", HELLO)
    loaded = load(plugins=["hello.py"], processors={"hello": {"word": "hi"}})
    assert {each.settings.word for each in loaded.config.plugged.handlers} == {"hi"}
    with pytest.raises(ConfigProblems, match="processors.hello.wrd: unknown key"):
        load(plugins=["hello.py"], processors={"hello": {"wrd": "hi"}})


def test_a_function_is_named_at_no_event(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "hello.py", HELLO)
    with pytest.raises(ConfigProblems) as raised:
        load("hello.hear", plugins=["hello.py"])
    assert "'hello.hear' needs no event" in str(raised.value)
    assert "its plugin alone switches it on" in str(raised.value)


def test_classes_and_functions_may_share_a_file(load: Load, tmp_path: Path) -> None:
    text = HELLO + (
        "class Loud(Processor):\n  name = 'loud'\n  def look(self, event): ...\n"
    )
    write(tmp_path, "both.py", text)
    loaded = load("loud", plugins=["both.py"])
    built = build(loaded.config, builtin())
    assert [each.name for each in built["posted"]] == ["loud", "both.hear"]


def test_functions_of_others_are_left_to_them(load: Load, tmp_path: Path) -> None:
    text = HELLO + "from malexbot.plugins.malex import ping\nagain = hello\n"
    write(tmp_path, "hello.py", text)
    names = [each.name for each in load(plugins=["hello.py"]).config.plugged.handlers]
    assert names == ["hello.hello", "hello.hear"]


COMMAND = "@command('/hello')\ndef other(event, bot): ...\n"
FAULTS = {
    "nothing": ("x = 1\n", "it has no class that inherits Processor, no @command"),
    "twice": (HELLO + COMMAND, "two functions have /hello"),
    "actions": (
        HEAD
        + "@action('a')\ndef f(event, bot): ...\n@action('a')\ndef g(event, bot): ...",
        "two functions have the action 'a'",
    ),
    "taken": (HEAD + COMMAND, "first.py has the command /hello too"),
    "own": (HEAD + "@command('/malex x')\ndef f(event, bot): ...", "malexbot's own"),
    "taker": (HEAD + "@listen()\ndef f(event, bot, x): ...", "gives nothing for 'x'"),
    "group": (
        HEAD + "@every('1m')\ndef f(event, bot, x): ...",
        "nothing that is called",
    ),
    "event": (HEAD + "@listen()\ndef f(event): ...", "f has to take (event, bot)"),
    "role": (
        HEAD + "@command('/x', roles=['boss'])\ndef f(event, bot): ...",
        "there is no role 'boss'",
    ),
    "secret": (
        HEAD + "@webhook('/github')\ndef f(event, bot): ...",
        "the webhook /github has no secret",
    ),
    "params": (HELLO.replace("(Settings)", ""), "Params has to be a class"),
    "class": (HEAD + "@listen()\nclass F: ...", "needs a function"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_fails_is_off_with_a_reason_and_the_rest_runs(
    load: Load, tmp_path: Path, fault: str
) -> None:
    text, reason = FAULTS[fault]
    write(tmp_path, "first.py", HELLO)
    write(tmp_path, "bad.py", text)
    loaded = load("save", plugins=["first.py", "bad.py"])
    (failure,) = loaded.config.plugged.failures
    assert failure.short_name == "bad.py"
    assert reason in failure.reason
    names = [each.name for each in loaded.config.plugged.handlers]
    assert names == ["first.hello", "first.hear"]


def test_two_of_one_name_do_not_fit(load: Load, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write(tmp_path, "hello.py", HELLO)
    write(tmp_path / "b", "hello.py", HELLO)
    (failure,) = load(plugins=["hello.py", "b/hello.py"]).config.plugged.failures
    assert "hello.py is called 'hello' too" in failure.reason


CLASS = "class Loud(Processor):\n  name = '{}'\n  def look(self, event): ...\n"


@pytest.mark.parametrize("name", ["hello", "hello.hear"])
def test_a_class_is_not_called_as_a_plugin_is(
    load: Load, tmp_path: Path, name: str
) -> None:
    write(tmp_path, "hello.py", HELLO)
    write(tmp_path, "loud.py", HEAD + CLASS.format(name))
    (failure,) = load(plugins=["hello.py", "loud.py"]).config.plugged.failures
    assert "hello.py is called 'hello' too" in failure.reason
    write(tmp_path, "hello.py", HELLO + CLASS.format("hello"))
    (failure,) = load(plugins=["hello.py"]).config.plugged.failures
    assert "two of it have the name 'hello'" in failure.reason


def test_a_plugin_that_is_called_as_malexbot_is_off(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "malex.py", HELLO)
    (failure,) = load(plugins=["malex.py"]).config.plugged.failures
    assert "'malex' is malexbot's own" in failure.reason


def test_a_webhook_with_a_secret_is_on(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "git.py", HEAD + "@webhook('/github')\ndef f(event, bot): ...")
    hooks = {"/github": {"secret": "0123456789abcdef"}}
    loaded = load(plugins=["git.py"], webhooks=hooks)
    assert loaded.failures == ()
    assert list(loaded.config.webhooks) == ["github"]
    assert "0123456789abcdef" in loaded.config.secrets()


def test_an_event_that_nobody_knows_is_warned_of(load: Load, tmp_path: Path) -> None:
    write(tmp_path, "hello.py", HELLO.replace("@listen()", "@listen('postd')"))
    (warning,) = load(plugins=["hello.py"]).warnings
    assert "a plugin listens to 'postd', an event that is not known" in str(warning)
    assert "did you mean 'posted'?" in str(warning)


def test_what_has_a_default_needs_nobody_to_give_it(load: Load, tmp_path: Path) -> None:
    text = HEAD + (
        "@listen()\ndef a(event, bot, n: int = 1): ...\n"
        "@every('1m')\ndef b(event, bot, *names: str): ...\n"
    )
    write(tmp_path, "hello.py", text)
    assert load(plugins=["hello.py"]).failures == ()
