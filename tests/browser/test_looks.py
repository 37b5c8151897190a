"""The page in both themes, on a phone and on wide screens: all of it can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import build
from tests.browser.chromium import Chromium, Tab
from tests.browser.looks import FAINT, TOO_WIDE
from tests.browser.person import open_menu, say

WIDTHS = (1440, 900, 375)
TEXTS = (
    "A long one. " * 40,
    "Donaudampfschifffahrtsgesellschaft" * 20,
    "https://example.org/" + "a" * 300,
    "```\n" + "code_that_does_not_break " * 20 + "\n```",
    "`" + "x" * 200 + "` **" + "y" * 200 + "**",
    "> quoted\n\n1. one\n2. two\n\n@alice and @bob :tada:",
)
ACTIONS = [
    {"id": "a", "name": "Primary", "style": "primary"},
    {"id": "b", "name": "Danger", "style": "danger"},
    {"id": "c", "name": "Warning", "style": "warning"},
    {"id": "d", "name": "Good", "style": "good"},
    {"id": "e", "name": "A button with a rather long name indeed"},
    {"id": "f", "name": "Menu", "type": "select", "options": []},
]


class Beside:
    """A bot that keeps the oldest half of what was said."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._ledger = sandbox.ledger

    def look(self, channel_id: str, since: int) -> dict[str, Any]:
        said = self._ledger.entries(channel_id=channel_id)
        kept = said[: (len(said) + 1) // 2]
        rows = [
            {
                "id": each.id,
                "user_id": each.user_id,
                "root_id": "r" * (at % 2),
                "type": "",
                "message": each.text,
                "create_at": each.create_at,
                "edit_at": at,
                "delete_at": each.create_at * (at % 2),
                "earlier": ["w" * 300, "before"],
                "reactions": ["tada"],
            }
            for at, each in enumerate(kept)
        ]
        return {
            "bot": "listening",
            "may": ["kill", "cut"],
            "archive": True,
            "mark_at": max((each.create_at for each in kept), default=0),
            "unwanted": [each.id for each in said[-1:]],
            "from": 0,
            "posts": rows[::-1],
        }

    def do(self, what: str) -> None:
        """Nothing."""


@pytest.fixture
def full() -> Iterator[Mattermost]:
    """A channel with one of everything in it."""
    sandbox = Mattermost()
    town = sandbox.town = build(sandbox.scene)
    scene = sandbox.scene
    begin = sandbox.clock.now_ms() - 1000
    for at, text in enumerate(TEXTS, begin):
        post_id = scene.post(town.channel, town.bob, text, create_at=at)
        scene.post(town.channel, town.bot, text, root_id=post_id, create_at=at)
        scene.react(post_id, town.bob, "tada")
        scene.react(post_id, town.alice, "unknown_emoji_with_a_long_name_" + "x" * 20)
        scene.edit(post_id, text + " (changed)")
    attachment = {"title": "T" * 100, "text": "words", "actions": ACTIONS}
    attachment["fields"] = [{"title": "t", "value": "v" * 200, "short": True}] * 2
    props = {"attachments": [attachment]}
    scene.post(town.channel, town.bot, "Deploy?", props=props)
    scene.add_channel(town.team, "n" * 60, town.alice)
    sandbox.page.show(Beside(sandbox))
    with sandbox:
        yield sandbox


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(chromium: Chromium, full: Mattermost, **how: Any) -> Tab:
    tab = chromium.open(full.url, **how)
    tab.wait("document.querySelectorAll('.mark').length > 5")
    return tab


@pytest.mark.parametrize("width", WIDTHS)
def test_all_of_it_is_in_sight_and_can_be_read(
    chromium: Chromium, full: Mattermost, width: int, theme: str
) -> None:
    with opened(chromium, full, width=width, theme=theme) as tab:
        open_menu(tab, "Deploy?")
        for view in ("chat", "archive"):
            if width < 500:
                tab.run(f"document.querySelector('#show-{view}').click()")
            assert tab.run("document.documentElement.scrollWidth") == width
            assert tab.run(TOO_WIDE) == []
            assert tab.run(FAINT) == []
        assert tab.errors() == []


def test_a_mark_says_how_far_the_archive_knows_a_message(
    chromium: Chromium, full: Mattermost
) -> None:
    entries = full.ledger.entries(channel_id=full.town.channel)
    edited, reply, *_, last_reply, unwanted = entries
    with opened(chromium, full) as tab:
        for entry, mark in (
            (edited, "waits"),
            (reply, "kept"),
            (last_reply, "waits"),
            (unwanted, "not kept"),
        ):
            word = f"[data-id={json.dumps(entry.id)}] .mark .word"
            assert tab.text(word) == mark
        joined = "document.querySelectorAll('.post.system').length"
        assert tab.run(joined) and not tab.run(
            "document.querySelector('.system .mark')"
        )


def test_the_theme_is_the_systems_until_one_is_chosen(
    chromium: Chromium, full: Mattermost
) -> None:
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with opened(chromium, full, theme="dark") as tab:
        assert tab.run(dark)
        night = tab.run(ground)
        tab.click("#theme")
        tab.wait(f"{ground} !== {night!r}")
        tab.run("(window.isOld = true, location.reload())")
        tab.wait("!window.isOld && document.querySelectorAll('.mark').length > 5")
        assert tab.run(ground) != night
        tab.click("#theme")
        tab.wait(f"{ground} === {night!r}")


def test_a_phone_shows_the_chat_the_archive_or_the_channels(
    chromium: Chromium, full: Mattermost
) -> None:
    def seen(selector: str) -> str:
        return f"document.querySelector({json.dumps(selector)}).checkVisibility()"

    with opened(chromium, full, width=375) as tab:
        assert tab.run(f"{seen('#words')} && !{seen('#rows')}")
        tab.click("#show-archive")
        tab.wait(f"{seen('#rows')} && !{seen('#words')}")
        tab.click("#show-chat")
        tab.wait(seen("#words"))
        tab.click("#rooms")
        tab.click(f"a[href='#{full.town.direct}']")
        tab.wait("document.querySelector('#title').textContent === '@malexbot'")
        tab.wait("document.querySelector('.rooms').getBoundingClientRect().right <= 0")
        tab.click("#words")
        tab.type("from a phone")
        tab.press("Enter")
        assert tab.run("document.querySelector('#words').value") == "from a phone\n"
        tab.click("#send")
        tab.wait("document.querySelector('.post .text').innerText === 'from a phone'")


def test_all_that_can_be_used_has_a_name(chromium: Chromium, full: Mattermost) -> None:
    with opened(chromium, full) as tab:
        say(tab, "hello")
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "link", "textbox", "combobox", "navigation", "main", "log")
    used = [node for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(used) > 30
    assert [node for node in used if not node.get("name", {}).get("value")] == []
