"""What a person does on the chat page, and looks for."""

from __future__ import annotations

import json

from tests.browser.chromium import Tab

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
    """Of the post with these words; it gets an id by which it can be clicked on."""
    tab.wait(f"({post(text)}.querySelector('.more').id = 'it')")
    tab.click("#it")
    tab.wait("document.querySelector('.menu')")


def choose(tab: Tab, entry: str) -> None:
    tab.wait(
        "([...document.querySelectorAll('.menu .entry')]"
        f".find((each) => each.textContent === {json.dumps(entry)}).id = 'entry')"
    )
    tab.click("#entry")
