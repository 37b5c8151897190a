"""Slash commands, buttons, menus and dialogs, by hand on the chat page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.browser.chromium import Chromium, Tab
from tests.browser.person import post, say
from tests.browser.stage import Stage
from tests.sandbox.integration import Integration, Reply, Told

WORDS = "document.querySelector('#words').value"
BANNER = "document.querySelector('#banner').innerText"
DIALOG = "document.querySelector('#dialog')"
# Chromium tells of it by itself when an answer is no 200.
REFUSED = "Failed to load resource"


@pytest.fixture
def stage(mattermost: Mattermost) -> Iterator[Stage]:
    with Integration() as program:
        yield Stage(mattermost, program)


@pytest.fixture
def alice(chromium: Chromium, stage: Stage) -> Iterator[Tab]:
    with chromium.open(stage.mattermost.url) as tab:
        tab.wait("document.querySelectorAll('.post').length")
        yield tab
        assert [told for told in tab.errors() if REFUSED not in told] == []


def typed(tab: Tab, text: str) -> None:
    tab.click("#words")
    tab.type(text)


def pressed(tab: Tab, text: str, action: str) -> None:
    key = json.dumps(f"act {action}")
    tab.click_on(f"{post(text)}.querySelector('[data-key={key}]')")


def chosen(tab: Tab, menu: str, value: str) -> None:
    """As if picked from the list, which the system draws."""
    tab.wait(f"{menu}.querySelector('option[value={json.dumps(value)}]')")
    tab.run(
        f"(() => {{ const menu = {menu}; menu.value = {json.dumps(value)};"
        " menu.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )


def field(name: str) -> str:
    """The part of the dialog that begins with these words."""
    return (
        "[...document.querySelectorAll('#dialog .field')]"
        f".find((each) => each.innerText.startsWith({json.dumps(name)}))"
    )


def fill(tab: Tab, name: str, text: str) -> None:
    tab.click_on(f"{field(name)}.querySelector('input, textarea')")
    tab.run(f"{field(name)}.querySelector('input, textarea').select()")
    tab.type(text)


def opened(tab: Tab, stage: Stage, **more: Any) -> None:
    """A dialog, by a button."""

    def answer(told: Told) -> Reply:
        stage.open_dialog(told, **more)
        return Reply()

    stage.program.answer = answer
    stage.offer("A form?", stage.action("Open"))
    pressed(tab, "A form?", "open")
    tab.wait(f"{DIALOG}.open")
    stage.program.take()
    stage.program.will(Reply())


# Commands.


def test_a_command_is_found_by_its_first_letters_and_run(
    alice: Tab, stage: Stage
) -> None:
    typed(alice, "/de")
    rows = "[...document.querySelectorAll('#hints li')].map((row) => row.innerText)"
    alice.wait(f"{rows}.length === 2")
    assert "deploy to a stage" in alice.run(rows)[0]
    alice.press("ArrowDown")
    alice.press("Tab")
    alice.wait(f"{WORDS} === '/deploy '")
    alice.wait(f"{rows}.length === 1 && {rows}[0].includes('[stage]')")
    stage.program.will(Reply.of(response_type="in_channel", text="Off it goes."))
    alice.type("to staging")
    alice.press("Enter")
    alice.wait(post("Off it goes."))
    name = f"{post('Off it goes.')}.querySelector('.meta').innerText"
    assert alice.run(name).startswith("deployer")
    told = stage.program.take().fields
    assert (told["text"], told["user_name"]) == ("to staging", "alice")
    assert not alice.run("document.querySelector('#hints li')")
    assert not stage.mattermost.ledger.entries(contains="/deploy")
    # It was not alice who said it, so it is not hers to change.
    alice.press("ArrowUp")
    assert alice.run(WORDS) == ""


def test_a_command_that_takes_its_time_is_shown_meanwhile(
    alice: Tab, stage: Stage
) -> None:
    stage.program.will(Reply(is_late=True))
    typed(alice, "/deploy slowly")
    alice.press("Enter")
    alice.wait(f"{post('/deploy slowly')}.classList.contains('pending')")
    stage.program.is_over.set()
    alice.wait(f"!{post('/deploy slowly')}")
    assert "'deploy' failed" in alice.wait(BANNER)


def test_a_command_leads_elsewhere(alice: Tab, stage: Stage) -> None:
    alice.run("(window.open = (address) => { window.opened = address; }, 0)")
    stage.program.will(Reply.of(goto_location="https://example.org/x"))
    typed(alice, "/deploy")
    alice.press("Enter")
    alice.wait("window.opened === 'https://example.org/x'")


def test_a_command_is_chosen_by_a_click(alice: Tab) -> None:
    typed(alice, "/")
    alice.click("#hints [data-trigger=depose]")
    alice.wait(f"{WORDS} === '/depose '")
    alice.wait("document.activeElement.id === 'words'")


def test_escape_closes_the_list_and_leaves_the_words(alice: Tab) -> None:
    typed(alice, "/dep")
    alice.wait("document.querySelectorAll('#hints li').length === 2")
    alice.press("Escape")
    alice.wait("document.querySelector('#hints').hidden")
    assert alice.run(WORDS) == "/dep"


def test_a_command_that_is_refused_comes_back(alice: Tab) -> None:
    typed(alice, "/nonsense at all")
    alice.press("Enter")
    alice.wait(
        f"{BANNER}.startsWith(\"Command with a trigger of 'nonsense' not found\")"
    )
    assert alice.run(WORDS) == "/nonsense at all"


def test_a_slash_behind_a_space_is_said(alice: Tab) -> None:
    say(alice, " /deploy is what you type")
    alice.wait(post("/deploy is what you type"))


def test_an_answer_for_one_alone_can_be_dismissed(
    chromium: Chromium, alice: Tab, stage: Stage
) -> None:
    stage.program.will(Reply.of(text="only for you"))
    typed(alice, "/deploy")
    alice.press("Enter")
    alice.wait(f"{post('only for you')}.innerText.includes('only you see this')")
    alice.wait("document.querySelector('#said').innerText === 'deployer: only for you'")
    with chromium.open(stage.mattermost.url) as other:
        other.wait("document.querySelectorAll('.post').length")
        assert not other.run(post("only for you"))
    alice.click_on(f"{post('only for you')}.querySelector('.more')")
    alice.wait(f"!{post('only for you')}")


def test_a_command_in_a_thread_is_answered_there(alice: Tab, stage: Stage) -> None:
    town, scene = stage.town, stage.mattermost.scene
    root_id = scene.post(town.channel, town.bob, "a root")
    scene.post(town.channel, town.bob, "a reply", root_id=root_id)
    alice.wait(post("a reply"))
    alice.click_on(f"{post('a root')}.querySelector('.replies')")
    alice.wait("document.querySelector('#title').innerText.startsWith('Thread')")
    stage.program.will(Reply.of(response_type="in_channel", text="here"))
    typed(alice, "/deploy")
    alice.press("Enter")
    alice.wait(post("here"))
    (entry,) = stage.mattermost.ledger.entries(contains="here")
    assert entry.root_id == root_id


def test_a_command_works_in_a_direct_channel(alice: Tab, stage: Stage) -> None:
    alice.click(f"a[href='#{stage.town.direct}']")
    alice.wait("document.querySelector('#title').innerText === '@malexbot'")
    stage.program.will(Reply.of(text="hello"))
    typed(alice, "/deploy")
    alice.press("Enter")
    alice.wait(post("hello"))


# Buttons and menus.


def test_a_pressed_button_changes_its_post(alice: Tab, stage: Stage) -> None:
    stage.offer("Deploy?", stage.action("Yes"), stage.action("No"))
    update = {"message": "Deployed.", "props": {}}
    stage.program.will(Reply.of(update=update, ephemeral_text="Well done."))
    pressed(alice, "Deploy?", "yes")
    alice.wait(f"{post('Deployed.')} && !{post('Deployed.')}.querySelector('.actions')")
    whisper = post("Well done.")
    alice.wait(f"{whisper}.querySelector('.meta').innerText.startsWith('System')")
    assert alice.run(f"{whisper}.querySelector('.context').innerText") == (
        "↳ malexbot: Deployed."
    )
    # What one alone sees is no reply.
    assert not alice.run(f"{post('Deployed.')}.querySelector('.replies')")
    assert stage.program.take().fields["context"] == {"action": "yes"}


def test_a_button_waits_and_is_pressed_once(alice: Tab, stage: Stage) -> None:
    stage.offer("Deploy?", stage.action("Yes"))
    stage.program.will(Reply(is_late=True))
    pressed(alice, "Deploy?", "yes")
    alice.wait(f"{post('Deploy?')}.querySelector('[aria-busy]').disabled")
    stage.program.take()
    alice.run(f"{post('Deploy?')}.querySelector('[aria-busy]').click()")
    stage.program.is_over.set()
    alice.wait(f"{BANNER} === 'Action integration error.'")
    alice.wait(f"!{post('Deploy?')}.querySelector('[aria-busy]')")
    assert stage.program.is_idle()


def test_menus_of_options_users_and_channels_tell_what_was_chosen(
    alice: Tab, stage: Stage
) -> None:
    town = stage.town
    options = [{"text": "Staging", "value": "s"}, {"text": "Production", "value": "p"}]
    stage.offer(
        "Where?",
        stage.action("Stage", type="select", options=options),
        stage.action("User", type="select", data_source="users"),
        stage.action("Room", type="select", data_source="channels"),
    )
    for name, value, text in (
        ("stage", "p", "Production"),
        ("user", town.bob, "@bob"),
        ("room", town.private, "private"),
    ):
        key = json.dumps(f"act {name}")
        menu = f"{post('Where?')}.querySelector('[data-key={key}]')"
        chosen(alice, menu, value)
        told = stage.program.take().fields
        assert told["context"] == {"action": name, "selected_option": value}
        alice.wait(f"!{menu}.disabled")
        assert alice.run(f"{menu}.selectedOptions[0].text") == text


def test_a_button_that_one_alone_sees_is_pressed(alice: Tab, stage: Stage) -> None:
    card = {"text": "t", "actions": [stage.action("Mine")]}
    stage.program.will(Reply.of(text="Psst.", attachments=[card]))
    typed(alice, "/deploy")
    alice.press("Enter")
    alice.wait(post("Psst."))
    stage.program.take()
    stage.program.will(Reply.of(ephemeral_text="Heard."))
    pressed(alice, "Psst.", "mine")
    alice.wait(post("Heard."))
    assert stage.program.take().fields["context"] == {"action": "mine"}


# Dialogs.


def test_a_dialog_is_filled_in_and_sent(alice: Tab, stage: Stage) -> None:
    opened(alice, stage)
    assert alice.text("#dialog h2") == "Deploy"
    assert alice.run(f"{DIALOG}.querySelector('strong').innerText") == "twice"
    alice.wait("document.activeElement.placeholder === 'a version'")
    alice.type("1.2.3")
    fill(alice, "How many", "5")
    chosen(alice, f"{field('Where')}.querySelector('select')", "p")
    chosen(alice, f"{field('Who')}.querySelector('select')", stage.town.bob)
    alice.click_on(f"{field('When')}.querySelector('[value=l]')")
    alice.click_on(f"{field('Sure?')}.querySelector('input')")
    stage.program.will(Reply(""))
    alice.click("#dialog .primary")
    alice.wait(f"!{DIALOG}.open")
    told = stage.program.take().fields
    assert told["submission"] == {
        "what": "1.2.3",
        "why": "It is due.",
        "count": 5,
        "mail": None,
        "stage": "p",
        "who": stage.town.bob,
        "room": None,
        "when": "l",
        "sure": True,
    }
    assert (told["state"], told["callback_id"], told["cancelled"]) == ("s", "c", False)
    assert (told["channel_id"], told["team_id"]) == (
        stage.town.channel,
        stage.town.team,
    )


def test_what_is_missing_or_wrong_is_said_at_each_field(
    alice: Tab, stage: Stage
) -> None:
    opened(alice, stage)
    fill(alice, "What", "1")
    fill(alice, "How many", "few")
    fill(alice, "Mail", "bob")
    alice.click("#dialog .primary")

    def why(name: str) -> Any:
        return alice.run(f"{field(name)}.querySelector('.trouble').innerText")

    alice.wait(f"{field('What')}.querySelector('.trouble').innerText")
    assert why("What") == "At least 3 characters."
    assert why("How many") == "This has to be a number."
    assert why("Mail") == "This has to be a mail address."
    assert why("Where") == why("Sure?") == "This field is required."
    assert why("Why") == why("Who") == why("When") == ""
    assert alice.run("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert stage.program.is_idle()


def test_what_the_program_complains_of_can_be_put_right(
    alice: Tab, stage: Stage
) -> None:
    name = {"name": "what", "display_name": "What", "type": "text"}
    opened(alice, stage, elements=[name])
    errors = {"what": "There is no such version.", "other": "And something else."}
    for reply, shown in (
        (Reply.of(errors=errors), "And something else."),
        (Reply.of(error="Nothing goes."), "Nothing goes."),
        (Reply(status=500), "Action integration error."),
    ):
        stage.program.will(reply)
        fill(alice, "What", "1.2.3")
        alice.press("Enter")
        alice.wait(f"{DIALOG}.querySelector('[role=alert]').innerText === {shown!r}")
        at_field = f"{field('What')}.querySelector('.trouble').innerText"
        is_first = reply.body.startswith('{"errors"')
        assert alice.run(at_field) == (errors["what"] if is_first else "")
        stage.program.take()
    stage.program.will(Reply())
    alice.click("#dialog .primary")
    alice.wait(f"!{DIALOG}.open")


@pytest.mark.parametrize("tells", [True, False])
def test_a_dialog_is_called_off(alice: Tab, stage: Stage, tells: bool) -> None:
    for leave in (
        lambda: alice.press("Escape"),
        lambda: alice.click("#dialog .ends button:not(.primary)"),
    ):
        opened(alice, stage, notify_on_cancel=tells)
        leave()
        alice.wait(f"!{DIALOG}.open")
        if tells:
            told = stage.program.take().fields
            assert (told["cancelled"], told["submission"]) == (True, {})
    assert stage.program.is_idle()


def test_a_question_without_fields_is_a_dialog_too(alice: Tab, stage: Stage) -> None:
    opened(alice, stage, elements=[], submit_label="")
    alice.wait("document.activeElement.innerText === 'Submit'")
    alice.press("Enter")
    alice.wait(f"!{DIALOG}.open")
    assert stage.program.take().fields["submission"] == {}


def test_a_command_opens_a_dialog_in_the_tab_where_it_was_typed(
    chromium: Chromium, alice: Tab, stage: Stage
) -> None:
    def answer(told: Told) -> Reply:
        stage.open_dialog(told)
        return Reply()

    stage.program.answer = answer
    with chromium.open(stage.mattermost.url) as other:
        other.wait("document.querySelectorAll('.post').length")
        typed(alice, "/deploy")
        alice.press("Enter")
        alice.wait(f"{DIALOG}.open")
        say(other, "still here")
        other.wait(post("still here"))
        assert not other.run(f"{DIALOG}.open")
