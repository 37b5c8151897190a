"""Decorated functions: each is called on what its decorators say, on nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from malexbot.plugins.api import marks
from malexbot.plugins.rehearsal import Rehearsal
from malexbot.plugins.turn import Turn

HEAD = "from malexbot import *\n"


@pytest.fixture
def staged(tmp_path: Path) -> Any:
    """A plugin of this text on a stage; it is called `mine`."""

    def stage(text: str, **more: Any) -> Rehearsal:
        file = tmp_path / "mine.py"
        file.write_text(HEAD + text)
        return Rehearsal(file, **more)

    return stage


# Commands.

DEPLOY = """
@command("/deploy", "deploy")
def deploy(event, bot, stage: str): bot.answer(f"to {stage}")

@command("/deploy undo", "take it back")
def undo(event, bot, *, why: str = "no reason"): bot.answer(f"undone: {why}")

@command("/deploy undo all", "take all back")
def undo_all(event, bot): bot.answer("all undone")
"""


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("/deploy dev", "to dev"),
        ("/deploy undone", "to undone"),
        ("/DEPLOY dev", "to dev"),
        ("/deploy undo", "undone: no reason"),
        ("/deploy Undo it  failed", "undone: it  failed"),
        ("/deploy undo all", "all undone"),
        ("/deploy", "`stage` is missing. Write it so: `/deploy stage`"),
        ("/deploy a b", "`b` is too much. Write it so: `/deploy stage`"),
    ],
)
def test_a_command_may_have_parts(staged: Any, given: str, answer: str) -> None:
    turn: Turn = staged(DEPLOY).command(given)
    assert len(turn.called) == 1
    assert turn.answer == answer


def test_another_command_is_not_for_it(staged: Any) -> None:
    assert staged(DEPLOY).command("/deployment dev").called == []


def test_what_does_not_fit_is_told_in_the_persons_language(staged: Any) -> None:
    text = '@command("/wait")\ndef wait(event, bot, s: Duration): bot.answer(f"{s}")'
    assert staged(text).command("/wait 1m30s").answer == "90.0"
    told = staged(text, locale="ru").command("/wait `bald`").answer
    assert told == "`'bald'` не подходит для `s`. Пишите так: `/wait s`"


# Listening.


@pytest.mark.parametrize(
    ("asked", "said", "is_called"),
    [
        ("", {}, True),
        ("", {"direct": True}, False),
        ("direct=True", {"direct": True}, True),
        ("direct=True", {}, True),
        ("mention=True", {}, False),
        ("mention=True", {"mention": True}, True),
        ("mention=True", {"direct": True}, False),
        ("mention=True, direct=True", {"direct": True}, True),
        ("'user_added'", {}, False),
        ("users=['bob']", {}, False),
        ("users=['bob']", {"by": "bob"}, True),
        ("channels=['ops']", {}, False),
        ("channels=['ops']", {"channel": "ops"}, True),
        ("roles=['boss']", {"by": "bob"}, True),
        ("roles=['boss']", {"by": "alice"}, False),
        ("when=\"'ping' in event.message.text\"", {}, True),
        ("when=\"'pong' in event.message.text\"", {}, False),
        ("pattern='^ping'", {}, True),
        ("pattern='^ing'", {}, False),
    ],
)
def test_it_hears_what_it_asks_for(
    staged: Any, asked: str, said: dict[str, Any], is_called: bool
) -> None:
    text = f"@listen({asked})\ndef hear(event, bot): bot.reply('yes')"
    turn: Turn = staged(text, roles={"boss": ["bob"]}).say("ping", **said)
    assert bool(turn.called) is is_called
    assert [said.text for said in turn.posts] == ["yes"] * is_called


def test_groups_of_a_pattern_fill_parameters(staged: Any) -> None:
    text = (
        "@listen(pattern=r'(?i)roll (?P<n>\\d+)(?: (?P<name>\\pL+))?')\n"
        "def roll(event, bot, n: int, name: str = 'you'): bot.reply(f'{n + 1} {name}')"
    )
    plugin = staged(text)
    assert plugin.say("please ROLL 41").posts[0].text == "42 you"
    assert plugin.say("roll 1 Вера").posts[0].text == "2 Вера"


def test_other_programs_are_heard_only_if_asked_for(staged: Any) -> None:
    for asked, is_called in (("", False), ("bots=True", True)):
        plugin = staged(f"@listen({asked})\ndef hear(event, bot): bot.reply('yes')")
        (handler,) = plugin.handlers
        from malexbot.ports import Occasion
        from tests.support.events import posted

        assert handler.wants(posted(by_bot=True), Occasion(0)) is is_called


# Buttons, menus, dialogs.

FORM = """
@command("/ask")
def ask(event, bot):
    bot.answer("?", cards=[Card(controls=[
        Button("go", "Go", {"n": 1}, users=["alice-id"]),
        Menu("pick", "Pick", [Option("A", "a"), Option("B", "b")], payload={"n": 2}),
    ])])

@action("go")
def go(event, bot, n: int):
    bot.open_dialog(Dialog("fill", "Fill", [Field("age", "Age"), Field("x", "X")],
                           payload={"n": n}, tells_cancel=True))

@action("pick")
def pick(event, bot, choice: str, n: int): bot.update(f"{choice}{n}")

@dialog("fill")
def fill(event, bot, n: int, age: int, x: str = "-"):
    if age < 18:
        bot.refuse("not today", age="too young")
    else:
        bot.answer(f"{age} {x} {n}")

@dialog("fill", cancelled=True)
def called_off(event, bot, n: int): bot.answer(f"off {n}")
"""


def test_a_button_gives_back_what_it_was_given(staged: Any) -> None:
    turn = staged(FORM).command("/ask")
    assert turn.press("Go").dialog.title == "Fill"
    with pytest.raises(AssertionError, match="somebody was faster"):
        turn.press("Go")
    with pytest.raises(AssertionError, match="'Go' is not bob's"):
        turn.press("Go", by="bob")


def test_a_button_that_gives_too_little_is_told_of(
    staged: Any, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        "@command('/x')\ndef x(event, bot):\n"
        "    bot.answer('?', cards=[Card(controls=[Button('go', 'Go')])])\n"
        "@action('go')\ndef go(event, bot, n: int): bot.update('gone')\n"
    )
    turn = staged(text).command("/x").press("Go")
    assert (turn.update, turn.refused) == ("", "`n` is missing.")
    assert "mine.go: its button gives nothing for" in caplog.text


def test_a_menu_gives_what_was_chosen(staged: Any) -> None:
    turn = staged(FORM).command("/ask")
    assert turn.press("Pick", choice="b").update == "b2"
    assert turn.press("Pick", choice="a").update == "a2"


def test_a_dialog_is_read_by_types_and_its_fields_are_told(staged: Any) -> None:
    turn = staged(FORM).command("/ask").press("Go")
    assert turn.submit(age="20").answer == "20 - 1"
    assert turn.submit(age="20", x="y").answer == "20 y 1"
    assert turn.submit(age="20", x="").answer == "20 - 1"
    assert turn.submit(age="old").errors == {"age": "This does not fit."}
    assert turn.submit().errors == {"age": "`age` is missing."}
    young = turn.submit(age="3")
    assert (young.errors, young.refused) == ({"age": "too young"}, "not today")


def test_what_a_person_writes_replaces_nothing_that_the_dialog_was_given(
    staged: Any,
) -> None:
    plugin = staged(FORM)
    turn = plugin.command("/ask").press("Go")
    forged = {"age": "20", "n": "99", "x": None}
    from malexbot.events import Form

    event = plugin._event("dialog", "alice", "town")
    form = Form("mine.fill", forged, dict(turn.dialog.payload))
    assert plugin._play(event._replace(form=form)).answer == "20 - 1"


def test_calling_off_is_told_to_who_asks_for_it(staged: Any) -> None:
    assert staged(FORM).command("/ask").press("Go").cancel().answer == "off 1"


# The clock, and calls.


def test_a_schedule_calls_its_own_function_only(staged: Any) -> None:
    text = (
        "@every('5m')\ndef a(event, bot): bot.post('c', 'a')\n"
        "@cron('0 9 * * *', tz='Europe/Berlin')\ndef b(event, bot): bot.post('c', 'b')"
    )
    plugin = staged(text)
    assert plugin.tick("a").called == ["a"]
    assert plugin.tick("b").posts[0].channel == "c"


def test_a_webhook_is_given_what_was_sent(staged: Any) -> None:
    text = (
        "@webhook('/github')\n"
        "def pushed(event, bot): bot.post('c', event.data['body']['ref'])"
    )
    plugin = staged(text)
    assert plugin.hook("/github", {"ref": "main"}).posts[0].text == "main"
    assert plugin.hook("/gitlab", {"ref": "main"}).called == []


# Several, and who may.


def test_a_function_may_have_several_decorators(staged: Any) -> None:
    text = (
        "@command('/hi', roles=['boss'])\n@action('hi')\n@listen(pattern='^hi$')\n"
        "def hi(event, bot): bot.post('c', event.name)"
    )
    plugin = staged(text, roles={"boss": ["bob"]})
    assert plugin.command("/hi", by="bob").posts[0].text == "command"
    assert plugin.say("hi", by="alice").posts[0].text == "posted"
    refused = plugin.command("/hi", by="alice")
    assert refused.posts == []
    assert refused.refused.startswith("You may not do this here.")


@pytest.mark.parametrize("name", ["mine", "mine.hi"])
def test_the_operators_permission_goes_before_the_authors(
    staged: Any, name: str
) -> None:
    text = "@command('/hi', users=['bob'])\ndef hi(event, bot): bot.answer('hi')"
    plugin = staged(text, permissions={name: {"users": ["anna"]}})
    assert plugin.command("/hi", by="anna").answer == "hi"
    assert plugin.command("/hi", by="bob").refused
    opened = staged(text, permissions={name: {}})
    assert opened.command("/hi", by="anybody").answer == "hi"


def test_the_clock_and_calls_need_no_permission(staged: Any) -> None:
    text = (
        "@command('/x')\n@every('1m')\n@webhook('/y')\n"
        "def x(event, bot): bot.post('c', event.name)"
    )
    plugin = staged(text, permissions={"mine": {"users": ["bob"], "channels": ["c"]}})
    assert plugin.tick("x").posts[0].text == "tick"
    assert plugin.hook("/y", {}).posts[0].text == "hook"
    assert plugin.command("/x", by="alice").refused


def test_a_function_stays_what_it_is() -> None:
    from malexbot import command

    def hi(event: Any, bot: Any) -> None: ...

    assert command("/hi")(hi) is hi
    assert len(marks(hi)) == 1
    assert marks(test_a_function_stays_what_it_is) == ()


def test_what_else_a_decorator_takes_reaches_the_processor(staged: Any) -> None:
    text = (
        "@command('/a', max_age='1h', once=True)\ndef a(event, bot): ...\n"
        "@every('5m')\ndef b(event, bot): ...\n"
        "@webhook('/c')\ndef c(event, bot): ...\n"
        "@webhook('/outgoing')\ndef d(event, bot): ...\n"
    )
    told = {
        each.function: (each.events, each.max_age_s, each.once, each.answers)
        for each in staged(text).handlers
    }
    assert told == {
        "a": (("command",), 3600.0, True, True),
        "b": (("tick",), 600.0, False, False),
        "c": (("hook",), 600.0, False, False),
        "d": (("hook",), 600.0, False, True),
    }


# What is wrong with one, told to its author.

FAULTS = {
    "command": ("@command('deploy')", "'deploy' is no command; it begins so: /deploy"),
    "action": ("@action('my_button_1')", "'my_button_1' could be 'mybutton1'"),
    "dialog": ("@dialog('a b')", "letters and digits only"),
    "pattern": ("@listen(pattern='(?=a)')", "ask twice"),
    "when": ("@listen(when='evnt.name')", "'evnt' is unknown; did you mean 'event'?"),
    "every": ("@every('soon')", "needs a duration such as 30s"),
    "cron": ("@cron('0 9 * *')", "'0 9 * *' is no line of cron"),
    "zone": ("@cron('0 9 * * *', tz='Mars')", "there is no time zone 'Mars'"),
    "webhook": ("@webhook('github')", "'github' is no path for a webhook"),
    "tick": ("@every('1m', users=['a'])", "every 60 s has no users"),
    "hook": ("@webhook('/x', channels=['a'])", "/x has no channels"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_slip_is_told_with_its_line_and_its_cure(tmp_path: Path, fault: str) -> None:
    from malexbot.plugins.modules import opened
    from malexbot.plugins.refusal import LONGEST_REASON, Refused, told

    decorator, reason = FAULTS[fault]
    file = tmp_path / "mine.py"
    file.write_text(f"{HEAD}\n{decorator}\ndef f(event, bot): ...\n")
    with pytest.raises(Refused) as raised:
        opened(str(file))
    line = told(raised.value, str(file))
    assert line.startswith("line 3: ")
    assert reason in line
    assert len(line) <= LONGEST_REASON
