"""Hints, buttons, whispers and dialogs, in both themes and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.browser.chromium import Chromium, Tab
from tests.browser.looks import FAINT, TOO_WIDE
from tests.browser.person import post
from tests.browser.stage import FIELDS, STYLES, Stage
from tests.sandbox.integration import Integration, Reply, Told

LONG = {
    "name": "long",
    "display_name": "W" * 200,
    "type": "radio",
    "help_text": "h" * 300,
    "options": [{"text": "o" * 150, "value": "o"}],
}
IN_SIGHT = """
(() => {
  const found = document.querySelector('%s');
  const { top, bottom, left, right } = found.getBoundingClientRect();
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
})()
"""


@pytest.fixture
def stage(mattermost: Mattermost) -> Iterator[Stage]:
    with Integration() as program:
        yield Stage(mattermost, program)


def require_readable(tab: Tab, width: int) -> None:
    assert tab.run("document.documentElement.scrollWidth") == width
    assert tab.run(TOO_WIDE) == []
    assert tab.run(FAINT) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375])
def test_all_of_it_is_in_sight_and_can_be_read(
    chromium: Chromium, stage: Stage, width: int, theme: str
) -> None:
    styled = [stage.action(name.title(), style=name) for name in STYLES]
    menu = stage.action("User", type="select", data_source="users")
    stage.offer("Deploy?", *styled, menu)

    def answer(told: Told) -> Reply:
        stage.open_dialog(told, elements=[*FIELDS, LONG])
        return Reply()

    with chromium.open(stage.mattermost.url, width=width, theme=theme) as tab:
        tab.wait(post("Deploy?"))
        stage.program.will(Reply.of(text="Only for you. " * 10))
        tab.click("#words")
        tab.type("/")
        tab.wait("document.querySelectorAll('#hints li').length === 2")
        tab.press("ArrowDown")
        tab.wait("document.querySelector('#hints [aria-selected=true]')")
        require_readable(tab, width)
        tab.type("deploy now")
        if width < 500:
            tab.click("#send")
        else:
            tab.press("Enter")
        tab.wait("document.querySelector('.whisper')")
        require_readable(tab, width)
        stage.program.answer = answer
        tab.click("[data-key='act primary']")
        tab.wait("document.querySelector('#dialog').open")
        require_readable(tab, width)
        tab.click("#dialog .primary")
        tab.wait("document.querySelector('#dialog [aria-invalid=true]')")
        require_readable(tab, width)
        assert tab.run(IN_SIGHT % "#dialog")
        assert tab.run(IN_SIGHT % "#dialog .primary")
        assert tab.errors() == []


def test_all_that_can_be_used_has_a_name(chromium: Chromium, stage: Stage) -> None:
    def answer(told: Told) -> Reply:
        stage.open_dialog(told)
        return Reply()

    stage.program.answer = answer
    stage.offer("Deploy?", stage.action("Yes"))
    with chromium.open(stage.mattermost.url) as tab:
        tab.click("[data-key='act yes']")
        tab.wait("document.querySelector('#dialog').open")
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "textbox", "combobox", "checkbox", "radio", "dialog")
    used = [node for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(used) > len(FIELDS)
    assert [node for node in used if not node.get("name", {}).get("value")] == []
