from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from malexbot.errors import Permanent
from malexbot.messengers.mattermost.forms import (
    LONGEST_HINT,
    LONGEST_TITLE,
    attachments,
    clipped,
    dialog,
    props,
)
from malexbot.ports.forms import (
    STYLES,
    Button,
    Card,
    Dialog,
    Fact,
    Field,
    Menu,
    Option,
)

URL = "https://bot.example.org"
REF, OTHER_REF = "ab" * 16, "cd" * 16


def told(card: Card, *refs: str) -> dict[str, Any]:
    """A card as a job's payload has it."""
    controls = []
    for control, ref in zip(card.controls, refs or [REF] * 9, strict=False):
        kind = "button" if isinstance(control, Button) else "menu"
        controls.append({**asdict(control), "kind": kind, "ref": ref})
    # A payload has been JSON.
    payload: dict[str, Any] = json.loads(json.dumps({**asdict(card)} | {"controls": 0}))
    return payload | {"controls": controls}


def actions(card: Card, *refs: str) -> list[dict[str, Any]]:
    (attachment,) = attachments([told(card, *refs)], URL)
    found: list[dict[str, Any]] = attachment["actions"]
    return found


def test_a_card_is_an_attachment() -> None:
    card = Card(
        text="text",
        title="title",
        title_link="https://x",
        pretext="before",
        color="good",
        facts=[Fact("a", "b"), Fact("c", "d", is_short=False)],
        image_url="https://i",
        footer="below",
    )
    assert attachments([told(card)], URL) == [
        {
            "text": "text",
            "title": "title",
            "title_link": "https://x",
            "pretext": "before",
            "color": "good",
            "fallback": "title",
            "fields": [
                {"title": "a", "value": "b", "short": True},
                {"title": "c", "value": "d", "short": False},
            ],
            "image_url": "https://i",
            "footer": "below",
        }
    ]


def test_a_button_knows_its_reference_and_nothing_else() -> None:
    button = Button("approve", "Yes", payload={"secret": 1}, users=["u"])
    (action,) = actions(Card(controls=[button]))
    assert action["name"] == "Yes"
    assert action["type"] == "button"
    assert action["integration"] == {"url": f"{URL}/actions", "context": {"ref": REF}}
    assert "secret" not in json.dumps(action)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_mattermost_s_too(style: Any) -> None:
    (action,) = actions(Card(controls=[Button("ok", "OK", style=style)]))
    assert action["style"] == style


def test_the_id_of_an_action_is_letters_and_digits_of_its_own() -> None:
    twice = Card(controls=[Button("ok", "A"), Button("ok", "B")])
    first, second = actions(twice, REF, OTHER_REF)
    assert first["id"] != second["id"]
    for action in (first, second):
        assert re.fullmatch("ok[a-z0-9]+", action["id"])


def test_what_replaces_a_button_is_not_hit_by_a_press_on_it() -> None:
    card = Card(controls=[Button("ok", "OK")])
    assert actions(card, REF)[0]["id"] != actions(card, OTHER_REF)[0]["id"]
    assert actions(card, REF)[0]["id"] == actions(card, REF)[0]["id"]


def test_the_id_does_not_tell_the_reference() -> None:
    (action,) = actions(Card(controls=[Button("ok", "OK")]))
    assert REF[:8] not in action["id"]


@pytest.mark.parametrize("name", ["my_button_1", "a-b", "a b", "", "é", "rota.ok"])
def test_an_action_that_could_not_be_pressed_is_refused(name: str) -> None:
    control = {"kind": "button", "action": name, "label": "x", "ref": REF}
    with pytest.raises(Permanent, match="letters and digits"):
        attachments([{"controls": [control]}], URL)


def test_without_an_address_of_ours_there_is_no_button() -> None:
    card = told(Card(controls=[Button("ok", "OK")]))
    with pytest.raises(Permanent, match=r"backend\.public_url"):
        attachments([card], "")
    assert attachments([told(Card(text="only text"))], "")


def test_a_menu_has_options_or_a_source() -> None:
    options = [Option("One", "1"), Option("Two", "2")]
    menus = [
        Menu("pick", "Pick", options=options, default="2"),
        Menu("who", "Who", source="users"),
        Menu("where", "Where", source="channels"),
    ]
    pick, who, where = actions(Card(controls=menus))
    assert pick["type"] == who["type"] == "select"
    assert pick["options"] == [
        {"text": "One", "value": "1"},
        {"text": "Two", "value": "2"},
    ]
    assert pick["default_option"] == "2"
    assert (who["data_source"], where["data_source"]) == ("users", "channels")
    assert "options" not in who and "data_source" not in pick


def test_props_are_written_whole() -> None:
    """What is left out of them is lost: that a bot wrote it, or the buttons."""
    assert props([], URL) == {"from_bot": "true"}
    found = props([told(Card(text="x"))], URL)
    assert found["from_bot"] == "true"
    assert found["attachments"][0]["text"] == "x"


def test_nul_is_nowhere() -> None:
    card = Card(text="a\0", facts=[Fact("b\0", "c\0")], controls=[Button("ok", "d\0")])
    assert "\\u0000" not in json.dumps(attachments([told(card)], URL))


FIELDS = [
    Field("nm", "Name", min_length=2, max_length=20, placeholder="p", help="h"),
    Field("note", "Note", kind="textarea", is_optional=True),
    Field("num", "Num", subtype="number", default="3"),
    Field("sel", "Sel", kind="select", options=[Option("One", "1")]),
    Field("who", "Who", kind="select", source="users"),
    Field("rad", "Rad", kind="radio", options=[Option("R1", "r1")]),
    Field("flag", "Flag", kind="bool", placeholder="yes?"),
]


def opened(made: Dialog) -> dict[str, Any]:
    payload = asdict(made) | {"ref": REF, "trigger_id": "t"}
    return dialog(payload, URL)


def test_a_dialog_has_every_kind_of_element() -> None:
    made = Dialog(
        "request",
        "A Dialog",
        FIELDS,
        introduction="Fill *in*",
        submit_label="Go",
        tells_cancel=True,
        payload={"secret": 1},
    )
    told = opened(made)
    assert (told["trigger_id"], told["url"]) == ("t", f"{URL}/dialogs")
    inner = told["dialog"]
    assert (inner["callback_id"], inner["state"]) == ("request", REF)
    assert inner["notify_on_cancel"] is True
    assert (inner["title"], inner["submit_label"]) == ("A Dialog", "Go")
    assert inner["introduction_text"] == "Fill *in*"
    name, note, num, select, who, radio, flag = inner["elements"]
    assert name == {
        "display_name": "Name",
        "name": "nm",
        "type": "text",
        "placeholder": "p",
        "help_text": "h",
        "min_length": 2,
        "max_length": 20,
    }
    assert (note["type"], note["optional"]) == ("textarea", True)
    assert (num["subtype"], num["default"]) == ("number", "3")
    assert select["options"] == [{"text": "One", "value": "1"}]
    assert who["data_source"] == "users"
    assert radio["type"] == "radio" and radio["options"]
    assert (flag["type"], flag["placeholder"]) == ("bool", "yes?")
    assert "secret" not in json.dumps(told)


def test_words_that_are_too_long_for_a_dialog_are_cut() -> None:
    field = Field("a", "l" * 50, help="h" * 500, placeholder="p" * 500)
    inner = opened(Dialog("a", "t" * 100, [field]))["dialog"]
    (element,) = inner["elements"]
    assert len(inner["title"]) == len(element["display_name"]) == LONGEST_TITLE
    assert len(element["help_text"]) == len(element["placeholder"]) == LONGEST_HINT


def test_a_dialog_needs_an_address_of_ours() -> None:
    with pytest.raises(Permanent, match="public_url"):
        dialog({"trigger_id": "t", "ref": REF, "action": "a", "title": "t"}, "")


def test_what_fits_is_not_clipped() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"
