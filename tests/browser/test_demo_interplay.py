"""A person uses the real malexbot's commands, dialogs and buttons in a browser."""

from __future__ import annotations

from tests.browser.chromium import Tab
from tests.browser.person import post

LAST = "[...document.querySelectorAll('.post:not(.system)')].at(-1)"
DIALOG = "document.querySelector('#dialog')"


def command(tab: Tab, text: str) -> None:
    tab.click("#words")
    tab.type(text)
    tab.press("Enter")


def test_help_is_found_and_shown_to_who_asks(alice: Tab) -> None:
    alice.click("#words")
    alice.type("/m")
    alice.wait("document.querySelector('#hints [data-trigger=malex]')")
    alice.press("Tab")
    alice.type("help")
    alice.press("Enter")
    alice.wait(f"{LAST}.innerText.includes('/lunch') && {LAST}.matches('.whisper')")
    assert alice.run(f"{LAST}.innerText.includes('only you see this')")


def test_what_was_said_is_found_in_the_archive(alice: Tab) -> None:
    command(alice, "/malex find chocolate")
    alice.wait(f"{LAST}.matches('.whisper') && {LAST}.innerText.includes('chocolate')")
    alice.click_on(f"{LAST}.querySelector('.text a')")
    alice.wait("document.querySelector('#title').innerText === 'Thread in #general'")
    alice.wait(f"{post('I do: chocolate.')} && {post('Who brings a cake?')}")
    alice.click("#back")


def test_lunch_is_asked_for_in_a_dialog_and_answered_by_buttons(alice: Tab) -> None:
    command(alice, "/lunch")
    alice.wait(f"{DIALOG}.open")
    alice.type("one two three four five six")
    alice.click("#dialog .primary")
    trouble = f"{DIALOG}.querySelector('.field .trouble').innerText"
    alice.wait(f"{trouble} === 'A shorter name, please.'")
    alice.run("document.activeElement.select()")
    alice.type("the park")
    alice.click("#dialog .primary")
    alice.wait(f"!{DIALOG}.open")
    asked = "☕ Lunch at 12:30: the park (alice asks)"
    alice.wait(post(asked))
    alice.click_on(f"{post(asked)}.querySelector('.actions .primary')")
    came = post(f"{asked}\nComes: alice")
    alice.wait(came)
    alice.click_on(f"{came}.querySelector('.actions button:not(.primary)')")
    alice.wait(post(f"{asked}\nNot today: alice"))
