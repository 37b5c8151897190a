"""A person chats with the real malexbot in a browser, and sees what is kept."""

from __future__ import annotations

import os
import signal

from tests.browser.chromium import Tab
from tests.browser.conftest import Demo
from tests.browser.person import choose, open_menu, post, row, say, wait_for_mark


def test_what_is_said_is_answered_and_kept(alice: Tab) -> None:
    say(alice, "ping")
    wait_for_mark(alice, "ping", "kept")
    wait_for_mark(alice, "pong, alice", "kept")
    alice.wait(row("ping"))
    assert alice.run(f"{post('pong, alice')}.querySelector('.context').innerText") == (
        "↳ alice: ping"
    )


def test_shift_and_enter_begin_a_new_line(alice: Tab) -> None:
    alice.click("#words")
    alice.type("first")
    alice.press("Enter", shift=True)
    alice.type("second")
    alice.press("Enter")
    wait_for_mark(alice, "first\nsecond", "kept")


def test_what_the_rules_do_not_want_is_not_kept(alice: Tab) -> None:
    say(alice, "off the record: a secret")
    wait_for_mark(alice, "off the record: a secret", "not kept")
    assert not alice.run(row("off the record: a secret"))


def test_an_edit_shows_what_was_said_before(alice: Tab) -> None:
    say(alice, "The cake is red.")
    wait_for_mark(alice, "The cake is red.", "kept")
    alice.press("ArrowUp")
    alice.wait("document.querySelector('#words').value === 'The cake is red.'")
    alice.run("document.querySelector('#words').select()")
    alice.type("The cake is green.")
    alice.press("Enter")
    wait_for_mark(alice, "The cake is green.", "kept")
    alice.run(f"{post('The cake is green.')}.querySelector('.edited').click()")
    earlier = f"{post('The cake is green.')}.querySelector('.earlier')?.innerText"
    assert alice.wait(earlier) == "The cake is red."
    assert alice.wait(
        f"{row('The cake is green.')}.querySelector('.earlier').innerText"
    )


def test_escape_leaves_a_message_as_it_is(alice: Tab) -> None:
    say(alice, "This stays.")
    wait_for_mark(alice, "This stays.", "kept")
    alice.press("ArrowUp")
    alice.wait("document.querySelector('#words').value === 'This stays.'")
    alice.type(" Or not?")
    alice.press("Escape")
    alice.wait("document.querySelector('#words').value === ''")
    say(alice, "It was said anew.")
    wait_for_mark(alice, "It was said anew.", "kept")
    assert alice.run(f"!{post('This stays.')}.querySelector('.edited')")


def test_a_deleted_message_stays_in_the_archive_alone(alice: Tab) -> None:
    say(alice, "My PIN is 4711.")
    wait_for_mark(alice, "My PIN is 4711.", "kept")
    open_menu(alice, "My PIN is 4711.")
    choose(alice, "Delete")
    choose(alice, "Delete for everybody?")
    alice.wait(f"!{post('My PIN is 4711.')}")
    alice.wait(f"{row('My PIN is 4711.')}.classList.contains('deleted')")


def test_a_reaction_is_given_kept_and_taken_back(alice: Tab) -> None:
    say(alice, "Who likes it?")
    wait_for_mark(alice, "Who likes it?", "kept")
    open_menu(alice, "Who likes it?")
    alice.click(".menu [aria-label=tada]")
    given = f"{post('Who likes it?')}.querySelector('.reaction[aria-pressed=true]')"
    alice.wait(f"{given}.textContent === '🎉 1'")
    alice.wait(f"{row('Who likes it?')}.querySelector('.faces').textContent === '🎉'")
    alice.run(f"{given}.click()")
    alice.wait(f"!{post('Who likes it?')}.querySelector('.reaction')")
    alice.wait(f"!{row('Who likes it?')}.querySelector('.faces')")


def test_a_thread_is_opened_answered_and_left(alice: Tab) -> None:
    say(alice, "Here begins a thread")
    wait_for_mark(alice, "Here begins a thread", "kept")
    open_menu(alice, "Here begins a thread")
    choose(alice, "Reply")
    alice.wait("document.querySelector('#title').textContent === 'Thread in #general'")
    alice.wait("document.querySelectorAll('.post').length === 1")
    say(alice, "and here it goes on")
    wait_for_mark(alice, "and here it goes on", "kept")
    alice.press("Escape")
    alice.wait("document.querySelector('#title').textContent === '#general'")
    root = post("Here begins a thread")
    assert alice.wait(f"{root}.querySelector('.replies').textContent") == "1 reply"
    alice.run("history.back()")
    alice.wait("document.querySelectorAll('.post').length === 2")


def test_a_mark_leads_to_its_row_in_the_archive(alice: Tab) -> None:
    say(alice, "Where is it kept?")
    wait_for_mark(alice, "Where is it kept?", "kept")
    alice.run(f"{post('Where is it kept?')}.querySelector('.mark').click()")
    alice.wait(f"{row('Where is it kept?')} === document.activeElement")


def test_another_channel_has_its_own_words_and_rows(alice: Tab) -> None:
    alice.run(
        "[...document.querySelectorAll('.rooms a')]"
        ".find((each) => each.textContent.includes('@malexbot')).click()"
    )
    alice.wait("document.querySelector('#hint').textContent.startsWith('Nothing')")
    say(alice, "ping")
    wait_for_mark(alice, "pong, alice", "kept")
    alice.wait("document.querySelectorAll('.row').length === 2")


def test_what_was_said_while_malexbot_was_dead_is_kept_in_the_end(alice: Tab) -> None:
    alice.click("#orders [data-key=kill]")
    alice.wait("document.querySelector('#state').dataset.mood === 'bad'")
    words = ["one, to a dead bot", "two", "three"]
    for text in words:
        say(alice, text)
    for text in words:
        wait_for_mark(alice, text, "waits")
    assert alice.text("#state") == "The bot is down; 3 messages wait."
    alice.click("#orders [data-key=start]")
    for text in words:
        wait_for_mark(alice, text, "kept")
    alice.wait("document.querySelector('#state').textContent.startsWith('Complete')")
    assert alice.run(
        "[...document.querySelectorAll('.row .text')].slice(0, 3)"
        ".map((each) => each.innerText)"
    ) == list(reversed(words))


def test_a_database_that_is_killed_is_caught_up_with(alice: Tab, demo: Demo) -> None:
    pid_file = demo.config.parent / "state" / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    say(alice, "said without a database")
    wait_for_mark(alice, "said without a database", "kept")
    alice.wait("document.querySelector('#state').textContent.startsWith('Complete')")
