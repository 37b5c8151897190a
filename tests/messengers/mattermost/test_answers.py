from __future__ import annotations

from typing import Any

import pytest

from malexbot.messengers.mattermost.answers import LONGEST_TEXT, Writer, said
from malexbot.ports.chats import fits_call

CARD = {"text": "card"}


@pytest.fixture
def writer() -> Writer:
    return Writer(public_url="https://bot", longest_text=lambda: 5000)


@pytest.mark.parametrize("kind", ["command", "button", "dialog", "hook"])
def test_nothing_is_an_empty_object(writer: Writer, kind: str) -> None:
    assert writer.write(kind, {}) == {}
    assert writer.write(kind, {"message": "", "cards": [], "in_channel": True}) == {}


def test_a_command_is_answered_to_one_or_to_all(writer: Writer) -> None:
    told = writer.command({"message": "hi"})
    assert told["response_type"] == "ephemeral"
    assert told["skip_slack_parsing"] is True
    told = writer.command({"message": "hi", "in_channel": True, "cards": [CARD]})
    assert told["response_type"] == "in_channel"
    assert told["attachments"][0]["text"] == "card"


def test_cards_alone_are_an_answer(writer: Writer) -> None:
    told = writer.command({"cards": [CARD]})
    assert told["text"] == ""
    assert told["attachments"]


def test_what_is_too_long_for_one_message_is_several(writer: Writer) -> None:
    text = "\n".join(["x" * 99] * 120)
    told = writer.command({"message": text, "cards": [CARD], "in_channel": True})
    parts = [told, *told["extra_responses"]]
    assert "".join(part["text"] for part in parts).count("x") == text.count("x")
    assert all(len(part["text"]) <= 5000 for part in parts)
    assert {part["response_type"] for part in parts} == {"in_channel"}
    assert [bool(part.get("attachments")) for part in parts] == [False, False, True]


def test_the_server_is_asked_only_for_what_may_be_too_long() -> None:
    def ask() -> int:
        raise AssertionError("nobody needs to know")

    writer = Writer(public_url="", longest_text=ask)
    assert writer.command({"message": "x" * LONGEST_TEXT})
    assert writer.button({"update": {"message": "x" * LONGEST_TEXT}})


def test_an_update_has_always_a_message_and_all_props(writer: Writer) -> None:
    for update in ({"message": "done"}, {"message": "", "cards": []}, {}):
        told = writer.button({"update": update})["update"]
        assert told["message"] == update.get("message", "")
        assert told["props"] == {"from_bot": "true"}
    told = writer.button({"update": {"message": "a", "cards": [CARD]}})["update"]
    assert told["props"]["attachments"][0]["text"] == "card"


def test_an_update_fits_into_its_post(writer: Writer) -> None:
    told = writer.button({"update": {"message": "x" * 6000}})["update"]
    assert len(told["message"]) == 5000
    assert told["message"].endswith("…")


def test_who_pressed_is_told_beside_the_update(writer: Writer) -> None:
    told = writer.button({"message": "thanks", "update": {"message": "done"}})
    assert told["ephemeral_text"] == "thanks"
    assert told["update"]["message"] == "done"
    assert "update" not in writer.button({"message": "thanks"})


def test_a_dialog_takes_errors_only(writer: Writer) -> None:
    told = writer.dialog({"error": "no\0", "errors": {"a": "b\0"}, "message": "x"})
    assert told == {"error": "no\ufffd", "errors": {"a": "b\ufffd"}}


def test_a_hook_is_answered_below_the_post_or_beside_it(writer: Writer) -> None:
    assert writer.hook({"message": "a"})["response_type"] == "comment"
    told = writer.hook({"message": "a", "in_channel": True, "cards": [CARD]})
    assert told["response_type"] == "post"
    assert told["attachments"]


def test_errors_are_words_where_there_is_no_dialog(writer: Writer) -> None:
    answer = {"error": "no", "errors": {"name": "too short"}}
    assert said(answer) == "no\nname: too short"
    assert writer.command(answer)["text"] == "no\nname: too short"
    assert writer.button(answer)["ephemeral_text"] == "no\nname: too short"


@pytest.mark.parametrize(
    ("kind", "answer", "fits"),
    [
        ("command", {"message": "a", "cards": [CARD], "in_channel": True}, True),
        ("hook", {"message": "a", "cards": [CARD]}, True),
        ("button", {"message": "a", "update": {"message": "b", "cards": [CARD]}}, True),
        ("button", {"message": "a", "cards": [CARD]}, False),
        ("button", {"message": "a", "in_channel": True}, False),
        ("dialog", {"errors": {"a": "b"}, "message": "", "cards": []}, True),
        ("dialog", {"message": "a"}, False),
        ("dialog", {"cards": [CARD]}, False),
    ],
)
def test_what_a_call_cannot_take_goes_another_way(
    kind: str, answer: dict[str, Any], fits: bool
) -> None:
    assert fits_call(kind, answer) is fits
