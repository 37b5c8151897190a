"""The chat page on a sandbox without a bot: what it shows, and what it bears."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.posts import Draft
from malexbot.sandbox.process import SandboxProcess
from malexbot.sandbox.town import build
from tests.browser.chromium import Chromium, Tab
from tests.browser.person import choose, open_menu, post, say

POSTS = "document.querySelectorAll('.post').length"
SAID = "document.querySelectorAll('.post:not(.system)').length"
BANNER = "document.querySelector('#banner').innerText"


@pytest.fixture
def alice(chromium: Chromium, mattermost: Mattermost) -> Iterator[Tab]:
    with chromium.open(mattermost.url) as tab:
        tab.wait("document.querySelectorAll('.post').length")
        yield tab
        assert tab.errors() == []


def tell(mattermost: Mattermost, text: str, **more: Any) -> str:
    """Something of bob's."""
    town = mattermost.town
    return mattermost.scene.post(town.channel, town.bob, text, **more)


def test_without_a_bot_there_is_only_the_chat(alice: Tab) -> None:
    say(alice, "hello")
    alice.wait(post("hello"))
    assert not alice.run("document.querySelector('.mark')")
    assert alice.run("document.querySelector('.archive').offsetWidth") == 0


def test_a_channel_in_which_nothing_was_said_says_so(
    chromium: Chromium, mattermost: Mattermost
) -> None:
    with chromium.open(f"{mattermost.url}/#{mattermost.town.direct}") as tab:
        tab.wait("document.querySelector('#hint').innerText.startsWith('Nothing was')")
        tab.wait("document.querySelector('#title').innerText === '@malexbot'")


def test_what_others_do_is_seen_at_once(alice: Tab, mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    first = tell(mattermost, "one")
    alice.wait(post("one"))
    alice.wait("document.querySelector('#said').innerText === 'bob: one'")
    scene.edit(first, "two")
    alice.wait(f"{post('two')}.querySelector('.edited')")
    scene.react(first, town.bob, "tada")
    alice.wait(f"{post('two')}.querySelector('.reaction').textContent === '🎉 1'")
    tell(mattermost, "a reply", root_id=first)
    alice.wait(f"{post('two')}.querySelector('.replies').textContent === '1 reply'")
    scene.delete(first)
    alice.wait(f"!{post('two')} && !{post('a reply')}")


def test_other_channels_count_what_was_not_read(
    alice: Tab, mattermost: Mattermost
) -> None:
    town = mattermost.town
    for text in ("one", "two"):
        mattermost.scene.post(town.direct, town.bot, text)
    alice.wait("document.querySelector('.rooms .count')?.textContent === '2'")
    assert alice.run("document.title").startswith("(2) ")
    alice.click(f"a[href='#{town.direct}']")
    alice.wait(post("two"))
    alice.wait("!document.querySelector('.rooms .count')")


def test_two_people_in_two_tabs_talk(
    chromium: Chromium, alice: Tab, mattermost: Mattermost
) -> None:
    with chromium.open(mattermost.url) as bob:
        bob.wait("document.querySelectorAll('.post').length")
        bob.run(
            "(() => { const who = document.querySelector('#who');"
            f"who.value = {json.dumps(mattermost.town.bob)};"
            "who.dispatchEvent(new Event('change')); })()"
        )
        bob.wait("document.querySelector('#who').selectedOptions[0]?.text === 'bob'")
        bob.wait("document.querySelectorAll('.post').length")
        say(bob, "Are you there, @alice?")
        alice.wait(f"{post('Are you there, @alice?')}.querySelector('.mention.me')")
        say(alice, "I am.")
        bob.wait(post("I am."))


def test_a_page_finds_its_way_back_to_a_server_that_was_killed(
    chromium: Chromium, tmp_path: Path
) -> None:
    server = SandboxProcess(state=tmp_path / "state")
    with server as control:
        town = build(control.scene)
        with chromium.open(control.url) as alice:
            alice.wait("document.querySelectorAll('.post').length")
            say(alice, "before")
            alice.wait(post("before"))
            alice.wait("!document.querySelector('.pending')")
            server.kill()
            alice.wait(f"{BANNER}.startsWith('The connection is lost')")
            say(alice, "said into nothing")
            alice.wait("document.querySelector('.post.failed .trouble')")
            control = server.start()
            told = {"channel_id": town.channel, "user_id": town.bob}
            control.scene.post(**told, message="meanwhile")
            alice.wait(f"!{BANNER}")
            alice.wait(post("meanwhile"))
            alice.wait(
                f"{post('said into nothing')} && !document.querySelector('.failed')"
            )
            say(alice, "after")
            alice.wait(post("after"))
            alice.wait("!document.querySelector('.pending')")
            ledger: Any = control.ledger
            texts = [each["texts"][0] for each in ledger.entries()]
            assert sorted(texts) == [
                "after",
                "before",
                "meanwhile",
                "said into nothing",
            ]


def test_events_that_were_lost_are_fetched(alice: Tab, mattermost: Mattermost) -> None:
    for text in ("kept", "goes"):
        tell(mattermost, text)
    alice.wait(f"{post('kept')} && {post('goes')}")
    kept, goes = (entry.id for entry in mattermost.ledger.entries())
    mattermost.faults.drop_frames(3)
    mattermost.scene.edit(kept, "changed")
    mattermost.scene.delete(goes)
    tell(mattermost, "unheard")
    tell(mattermost, "heard")
    alice.wait(f"{post('heard')} && {post('unheard')} && {post('changed')}")
    alice.wait(f"!{post('goes')}")


def test_what_the_server_refuses_can_be_tried_again(
    alice: Tab, mattermost: Mattermost
) -> None:
    mattermost.faults.fail(500, pattern="POST /api/v4/posts", times=1)
    say(alice, "twice")
    alice.click(".post.failed .trouble button")
    alice.wait(f"{post('twice')} && !document.querySelector('.pending')")
    assert len(mattermost.ledger.entries(contains="twice")) == 1
    # Chromium itself tells of it.
    (told,) = alice.errors()
    assert "500" in told
    alice.forget_errors()


def test_older_messages_come_as_one_scrolls_up(
    chromium: Chromium, mattermost: Mattermost
) -> None:
    town = mattermost.town
    begin = mattermost.clock.now_ms() - 10_000
    # The borders of pages lie within a millisecond.
    for number in range(180):
        mattermost.scene.post(
            *(town.channel, town.bob, f"message {number}"),
            create_at=begin + number // 3,
        )
    with chromium.open(mattermost.url) as tab:
        tab.wait(post("message 179"))
        assert tab.run(POSTS) == 50
        box = "document.querySelector('#stream')"
        assert tab.run(f"{box}.scrollTop + {box}.clientHeight > {box}.scrollHeight - 5")
        tab.run(f"({box}.scrollTop = 60, 0)")
        tab.wait(f"{POSTS} > 90")
        # One reads on where one was, and a new message does not tear one away.
        top = f"{post('message 139')}.getBoundingClientRect().top"
        before = tab.run(top)
        assert 0 < before < 900
        tell(mattermost, "newest")
        tab.wait("document.querySelector('#newer').innerText === '1 new message ↓'")
        assert abs(tab.run(top) - before) < 2
        tab.click("#newer")
        tab.wait("document.querySelector('#newer').hidden")
        tab.wait(f"({box}.scrollTop = 0, {post('message 0')})")
        assert tab.run(SAID) == 181


def test_another_ones_message_can_be_answered_but_not_changed(
    alice: Tab, mattermost: Mattermost
) -> None:
    tell(mattermost, "mine")
    open_menu(alice, "mine")
    entries = "[...document.querySelectorAll('.menu .entry')].map((e) => e.innerText)"
    assert alice.run(entries) == ["Reply"]
    alice.press("Escape")
    alice.wait("!document.querySelector('.menu')")
    alice.wait("document.activeElement.dataset.key === 'more'")
    open_menu(alice, "mine")
    choose(alice, "Reply")
    alice.wait("document.querySelector('#back').offsetWidth")


def test_buttons_and_menus_of_programs_are_drawn(
    alice: Tab, mattermost: Mattermost
) -> None:
    action = {"id": "go", "name": "Deploy", "style": "primary"}
    stages = [{"text": "staging", "value": "s"}, {"text": "production", "value": "p"}]
    menu = {"id": "where", "name": "Where to", "type": "select", "options": stages}
    attachment = {
        "title": "Release",
        "title_link": "javascript:alert(1)",
        "text": "All *green*.",
        "color": "good",
        "fields": [{"title": "By", "value": "bob", "short": True}],
        "actions": [action, menu],
    }
    tell(mattermost, "Deploy?", props={"attachments": [attachment, "nonsense", None]})
    drawn = f"{post('Deploy?')}.querySelector('.attachment')"
    assert alice.wait(f"{drawn}.innerText").split() == (
        "Release All green. By bob Deploy Where to staging production".split()
    )
    assert not alice.run(f"{drawn}.querySelector('a')")


def test_who_may_see_it_alone_is_told_so(alice: Tab, mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    bot = scene.world.user(town.bot)
    with scene.world.lock:
        scene.posts.whisper(bot, town.alice, Draft(town.channel, "psst"))
    alice.wait(f"{post('psst')}.innerText.includes('only you see this')")
