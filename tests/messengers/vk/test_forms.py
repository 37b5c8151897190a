from __future__ import annotations

import json
from typing import Any

import pytest

from malexbot.errors import Permanent
from malexbot.messengers.vk.forms import clipped, keyboard, text


def button(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": "button", "label": f"b{number}", "ref": f"{number:032x}", **more}


def menu(count: int = 2) -> dict[str, Any]:
    options = [{"label": f"o{n}", "value": f"v{n}"} for n in range(count)]
    return {"kind": "menu", "label": "m", "ref": "ab", "options": options}


def card(*controls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"controls": list(controls), **more}


def labels(shown: Any) -> list[list[str]]:
    return [[b["action"]["label"] for b in row] for row in shown["buttons"]]


def test_a_button_shows_its_reference_and_nothing_else() -> None:
    shown = keyboard([card(button(style="danger", action="ban", name="x"))])
    assert shown is not None and shown["inline"] is True
    (told,) = shown["buttons"][0]
    assert told["color"] == "negative"
    assert told["action"]["type"] == "callback"
    assert json.loads(told["action"]["payload"]) == {"ref": f"{1:032x}"}


def test_a_menu_is_a_button_for_each_option() -> None:
    shown = keyboard([card(button(1), menu(), button(2))])
    assert labels(shown) == [["b1"], ["o0", "o1"], ["b2"]]
    assert shown is not None
    payload = json.loads(shown["buttons"][1][1]["action"]["payload"])
    assert payload == {"ref": "ab", "choice": "v1"}


def test_each_card_has_rows_of_its_own() -> None:
    cards = [card(*(button(n) for n in range(7))), card(button(8)), card()]
    assert [len(row) for row in labels(keyboard(cards))] == [5, 2, 1]


def test_nothing_to_press_is_no_keyboard() -> None:
    assert keyboard([card(text="x")]) is None


@pytest.mark.parametrize(
    "cards",
    [
        [card(*(button(n) for n in range(11)))],
        [card(button(n)) for n in range(7)],
        [card({"kind": "menu", "label": "m", "ref": "a", "source": "users"})],
    ],
)
def test_what_vk_cannot_show_is_refused(cards: list[dict[str, Any]]) -> None:
    with pytest.raises(Permanent, match="VK"):
        keyboard(cards)


def test_a_label_that_is_too_long_is_cut() -> None:
    (row,) = labels(keyboard([card(button(label="x" * 50))]))
    assert (len(row[0]), row[0][-1]) == (40, "…")
    assert clipped("abc", 3) == "abc"


def test_a_card_is_told_in_words() -> None:
    told = card(
        pretext="before",
        title="Title",
        title_link="https://example.org",
        text="Text",
        facts=[{"title": "on", "text": "yes"}],
        footer="end",
    )
    assert text("Hello", [told, card(text="two")]) == (
        "Hello\n\nbefore\nTitle (https://example.org)\nText\non: yes\nend\n\ntwo"
    )
    assert text("", [card()]) == ""
