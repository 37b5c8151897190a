"""The stage: what plugins do on it is what they would do with the daemon."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from malexbot.plugins.rehearsal import Rehearsal
from malexbot.plugins.turn import Actor, Keeps
from malexbot.ports import Bot, Shelf

PLUGIN = """
from malexbot import *

class Params(Settings):
    times: int = 2

@command("/count")
def count(event, bot):
    n = bot.store.get("n", 0) + bot.settings.times
    bot.store.set("n", n)
    bot.log.info("counted")
    if n > 4:
        raise RuntimeError("too many")
    bot.answer(str(n), cards=[Card(controls=[Button("more", "More")])])

@action("more", users=["alice"])
def more(event, bot): bot.update("more")

@listen(pattern="file")
def file(event, bot):
    bot.upload(event.peer.bpid, "a.txt", b"a", text="here")
    bot.react(":eyes:")
    bot.direct("bob-id", "psst", name="mine")
    bot.edit("c", bot.named("mine"), "psst!")

@every("1h")
def late(event, bot): bot.reply("it is late")

@webhook("/called")
def called(event, bot): bot.answer("thanks")
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    return file


@pytest.mark.parametrize(("port", "stand_in"), [(Bot, Actor), (Shelf, Keeps)])
def test_it_takes_what_the_real_one_takes(port: type, stand_in: type) -> None:
    for name, asked in vars(port).items():
        if name.startswith("_"):
            continue
        assert hasattr(stand_in, name) or name == "store", name
        if inspect.isfunction(asked):
            given = inspect.signature(getattr(stand_in, name)).parameters
            assert list(given) == list(inspect.signature(asked).parameters), name


def test_where_nobody_is_nothing_is_answered(plugin: Path) -> None:
    stage = Rehearsal(plugin)
    with pytest.raises(ValueError, match="tick is of no channel: say it with post"):
        stage.tick("late")
    with pytest.raises(ValueError, match="nobody waits for an answer to 'hook'"):
        stage.hook("/called", {})


def test_what_is_kept_stays_and_a_failure_leaves_nothing(plugin: Path) -> None:
    stage = Rehearsal(plugin)
    assert stage.command("/count").answer == "2"
    assert stage.command("/count").answer == "4"
    with pytest.raises(RuntimeError, match="too many"):
        stage.command("/count")
    assert stage.store == {"n": 4}


def test_settings_are_read_as_the_daemon_reads_them(plugin: Path) -> None:
    assert Rehearsal(plugin, settings={"times": "3"}).command("/count").answer == "3"
    with pytest.raises(AssertionError, match="times"):
        Rehearsal(plugin, settings={"times": "x"})


def test_who_may_not_leaves_the_button_to_others(plugin: Path) -> None:
    turn = Rehearsal(plugin).command("/count", by="bob")
    assert turn.press("More", by="bob").refused
    assert turn.press("More", by="alice").update == "more"


def test_all_that_was_done_is_there_to_be_looked_at(plugin: Path) -> None:
    turn = Rehearsal(plugin).say("a file please")
    assert turn.reactions == ["eyes"]
    kinds = [(said.kind, said.text) for said in turn.said]
    assert kinds == [
        ("file", "here [a.txt]"),
        ("direct", "psst"),
        ("edit", "psst!"),
    ]
    assert turn.said[2].post_id == turn.said[1].post_id
    assert turn.said[1].user == "bob-id"


def test_what_is_not_shown_cannot_be_pressed(plugin: Path) -> None:
    with pytest.raises(AssertionError, match="nobody was shown 'Less'; \\['More'\\]"):
        Rehearsal(plugin).command("/count").press("Less")


def test_a_file_without_functions_is_no_plugin(tmp_path: Path) -> None:
    (tmp_path / "none.py").write_text("")
    with pytest.raises(ValueError, match="has no decorated function"):
        Rehearsal(tmp_path / "none.py")


def test_answers_need_somebody_who_waits(plugin: Path, tmp_path: Path) -> None:
    text: Any = "from malexbot import *\n@listen()\ndef f(event, bot): bot.{}\n"
    for call in ("answer('x')", "update('x')"):
        (tmp_path / "bad.py").write_text(text.format(call))
        with pytest.raises(ValueError):
            Rehearsal(tmp_path / "bad.py").say("x")
