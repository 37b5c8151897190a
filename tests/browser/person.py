"""What a person does on the chat page, and looks for."""

from __future__ import annotations

import json
from contextlib import suppress

from tests.browser.chromium import PATIENCE_S, Tab

# The post of the chat, or the row of the archive, with these words; the newest one.
POST = """
[...document.querySelectorAll('.post')].findLast(
  (post) => post.querySelector('.text').innerText === %s
)
"""
ROW = """
[...document.querySelectorAll('.row')].find(
  (row) => row.querySelector('.text').innerText === %s
)
"""


def say(tab: Tab, text: str) -> None:
    tab.click("#words")
    tab.type(text)
    tab.press("Enter")


def post(text: str) -> str:
    return f"({POST % json.dumps(text)})"


def row(text: str) -> str:
    return f"({ROW % json.dumps(text)})"


def wait_for_mark(tab: Tab, text: str, mark: str) -> None:
    tab.wait(
        f"{post(text)}.querySelector('.mark .word').textContent === {json.dumps(mark)}"
    )


def open_menu(tab: Tab, text: str) -> None:
    """Of the post with these words; it may be drawn anew under the first click."""
    for patience_s in (5.0, 5.0, PATIENCE_S):
        tab.click_on(f"{post(text)}.querySelector('.more')")
        with suppress(AssertionError):
            tab.wait("document.querySelector('.menu')", patience_s)
            return
    raise AssertionError(f"{text} has no menu")


def choose(tab: Tab, entry: str) -> None:
    tab.click_on(
        "[...document.querySelectorAll('.menu .entry')]"
        f".find((each) => each.textContent === {json.dumps(entry)})"
    )
