from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.messengers.vk.chat import REACTIONS, VkChat, random_id
from malexbot.messengers.vk.client import Client
from malexbot.ports import Chat
from malexbot.sandbox.vk.sandbox import VkSandbox
from tests.messengers.vk.conftest import Town

CARDS = [{"controls": [{"kind": "button", "label": "Yes", "ref": "ab" * 16}]}]


@pytest.fixture
def chat(client: Client) -> Chat:
    return VkChat(client)


def to(town: Town, message: str = "hi", **more: Any) -> dict[str, Any]:
    return {"channel_id": str(town.chat), "message": message, **more}


def asked(town: Town, press_id: str = "", **more: Any) -> dict[str, Any]:
    """What an answer comes as."""
    told: dict[str, Any] = {
        "event_id": "e1",
        "kind": "button" if press_id else "command",
        "user_id": town.anna,
        "channel_id": town.chat,
        "post_id": 1,
        "message": "",
        "in_channel": False,
        "cards": [],
    }
    return told | ({"response_url": f"press:{press_id}"} if press_id else {}) | more


def shown(vk: VkSandbox) -> list[Any]:
    return [answer.shown for answer in vk.ledger.press_answers()]


# Sends.


def test_a_message_is_known_by_its_place(chat: Chat, vk: VkSandbox, town: Town) -> None:
    assert chat.send(to(town), key="k1").post_id == f"{town.chat}:1"
    assert vk.ledger.sent()[0].text == "hi"


def test_the_same_key_posts_once(chat: Chat, vk: VkSandbox, town: Town) -> None:
    first, second = (chat.send(to(town), key="k1") for _ in range(2))
    other = chat.send(to(town), key="k2")
    assert first.post_id == second.post_id != other.post_id
    assert len(vk.ledger.sent()) == 2 and vk.ledger.repeated() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_uncertain_send_is_there_once_when_it_is_repeated(
    chat: Chat, vk: VkSandbox, town: Town, moment: Any
) -> None:
    vk.faults.strike(1, moment)
    with pytest.raises(Uncertain):
        chat.send(to(town), key="k1")
    assert chat.find(to(town), key="k1", ago_s=60) is None
    chat.send(to(town), key="k1")
    assert [sent.text for sent in vk.ledger.sent()] == ["hi"]


def test_after_an_hour_nobody_can_tell(chat: Chat, town: Town) -> None:
    with pytest.raises(Permanent, match="jobs retry"):
        chat.find(to(town), key="k1", ago_s=3600)


@given(st.text(max_size=40), st.text(max_size=40))
def test_keys_give_numbers_of_their_own(first: str, second: str) -> None:
    assert random_id(first) == random_id(first)
    assert 0 < random_id(first) < 2**53
    assert (random_id(first) == random_id(second)) == (first == second)


def test_a_person_is_written_to_directly(chat: Chat, vk: VkSandbox, town: Town) -> None:
    sent = chat.send({"user_id": town.anna, "message": "hi"}, key="k1")
    assert sent.post_id == f"{town.anna}:1"


@pytest.mark.parametrize("root_id", [1, "1", "{chat}:1"])
def test_an_answer_names_what_it_answers(
    chat: Chat, vk: VkSandbox, town: Town, root_id: Any
) -> None:
    vk.scene.say(town.chat, town.anna, "question")
    root = str(root_id).format(chat=town.chat)
    chat.send(to(town, root_id=root), key="k1")
    assert vk.ledger.sent()[0].reply_to == 1


def test_what_stands_elsewhere_is_not_answered_here(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    chat.send(to(town, root_id=f"{town.anna}:5"), key="k1")
    assert vk.ledger.sent()[0].reply_to == 0


def test_cards_are_a_keyboard_with_references(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    chat.send(to(town, cards=CARDS), key="k1")
    keyboard = vk.ledger.sent()[0].keyboard
    assert keyboard is not None
    action = keyboard["buttons"][0][0]["action"]
    assert action["payload"] == '{"ref":"%s"}' % ("ab" * 16)


def test_buttons_need_no_words(
    chat: Chat, vk: VkSandbox, client: Client, town: Town
) -> None:
    post_id = chat.send(to(town, "", cards=CARDS), key="k1").post_id
    assert vk.ledger.sent()[0].text == "…"
    chat.edit({"post_id": post_id, "message": "", "cards": []})
    assert not keyboard_of(client, town)
    with pytest.raises(Permanent, match="empty"):
        chat.send(to(town, ""), key="k2")


@pytest.mark.parametrize(
    "payload",
    [
        {"channel_id": "town-square", "message": "x"},
        {"message": "x"},
        {"channel_id": 1, "message": "x", "file_ids": ["f"]},
    ],
)
def test_what_cannot_be_sent_is_refused(chat: Chat, payload: dict[str, Any]) -> None:
    with pytest.raises(Permanent):
        chat.send(payload, key="k1")


def test_to_be_shut_out_of_a_chat_is_permanent(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    vk.scene.throw_out(town.chat)
    with pytest.raises(Permanent, match="917"):
        chat.send(to(town), key="k1")


def test_flood_control_tells_when_to_come_again(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    vk.faults.refuse(9)
    with pytest.raises(Transient) as caught:
        chat.send(to(town), key="k1")
    assert caught.value.retry_after_s == 30


# Reactions, edits.


@pytest.mark.parametrize(("emoji", "number"), [("+1", 4), (":tada:", 16), ("7", 7)])
def test_a_reaction_has_its_number(
    chat: Chat, vk: VkSandbox, town: Town, emoji: str, number: int
) -> None:
    vk.scene.say(town.chat, town.anna, "hi")
    chat.react({"channel_id": town.chat, "post_id": 1, "emoji": emoji})
    assert vk.ledger.reactions() == [(town.chat, 1, number)]


def test_a_reaction_that_vk_has_not_is_told_with_those_it_has(chat: Chat) -> None:
    with pytest.raises(Permanent, match=f"there are {next(iter(REACTIONS))}"):
        chat.react({"post_id": "1:1", "emoji": "parrot"})


def keyboard_of(client: Client, town: Town) -> Any:
    row = client.message(town.chat, 1)
    assert row is not None
    return row.get("keyboard", {}).get("buttons")


def test_an_edit_leaves_buttons_unless_it_names_others(
    chat: Chat, client: Client, town: Town
) -> None:
    post_id = chat.send(to(town, cards=CARDS), key="k1").post_id
    chat.edit({"post_id": post_id, "message": "new"})
    assert keyboard_of(client, town)[0][0]["action"]["label"] == "Yes"
    chat.edit({"post_id": post_id, "message": "newer", "cards": []})
    assert not keyboard_of(client, town)
    row = client.message(town.chat, 1)
    assert row is not None and row["text"] == "newer"


# Answers.


def test_a_short_word_is_shown_to_who_pressed(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    press_id = vk.scene.press(town.chat, town.anna, 1, {})
    chat.answer(asked(town, press_id, message="done"), key="k1")
    assert shown(vk) == [{"type": "show_snackbar", "text": "done"}]
    assert vk.ledger.sent() == []


def test_who_is_told_nothing_waits_no_longer(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    press_id = vk.scene.press(town.chat, town.anna, 1, {})
    chat.answer(asked(town, press_id), key="k1")
    assert (shown(vk), vk.ledger.sent()) == ([None], [])


def test_a_long_word_is_a_message_to_who_pressed(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    press_id = vk.scene.press(town.chat, town.anna, 1, {})
    chat.answer(asked(town, press_id, message="long " * 40), key="k1")
    assert shown(vk) == [None]
    assert [sent.peer_id for sent in vk.ledger.sent()] == [town.anna]


def test_who_takes_no_messages_is_told_where_he_pressed(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    shy = vk.scene.add_person(takes_messages=False)
    press_id = vk.scene.press(town.chat, shy, 1, {})
    told = asked(town, press_id, message="long " * 40, user_id=shy)
    chat.answer(told, key="k1")
    assert [sent.peer_id for sent in vk.ledger.sent()] == [town.chat]


def test_a_press_whose_minute_is_over_is_answered_by_message(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    vk.settings.press_s = 0
    press_id = vk.scene.press(town.chat, town.anna, 1, {})
    chat.answer(asked(town, press_id, message="done"), key="k1")
    assert [sent.text for sent in vk.ledger.sent(peer_id=town.anna)] == ["done"]


def test_an_update_changes_the_message_that_was_pressed(
    chat: Chat, vk: VkSandbox, client: Client, town: Town
) -> None:
    chat.send(to(town, cards=CARDS), key="k1")
    press_id = vk.scene.press(town.chat, town.anna, 1, {})
    update = {"message": "approved", "cards": []}
    sent = chat.answer(asked(town, press_id, update=update), key="k2")
    assert sent.post_id == f"{town.chat}:1"
    row = client.message(town.chat, 1)
    assert row is not None and row["text"] == "approved"
    assert not keyboard_of(client, town)
    assert shown(vk) == [None]


def test_a_command_is_answered_below_it(chat: Chat, vk: VkSandbox, town: Town) -> None:
    vk.scene.say(town.chat, town.anna, "/ban")
    chat.answer(asked(town, message="done"), key="k1")
    (sent,) = vk.ledger.sent()
    assert (sent.peer_id, sent.reply_to, sent.text) == (town.chat, 1, "done")


def test_a_long_answer_is_several_messages_once(
    chat: Chat, vk: VkSandbox, town: Town
) -> None:
    vk.scene.say(town.chat, town.anna, "/report")
    told = asked(town, message="\n".join(["line " * 20] * 60))
    for _ in range(2):
        chat.answer(told, key="k1")
    sent = vk.ledger.sent()
    assert len(sent) == 2 and all(len(s.text) <= 4096 for s in sent)


def test_nothing_to_say_says_nothing(chat: Chat, vk: VkSandbox, town: Town) -> None:
    assert chat.answer(asked(town), key="k1").post_id == ""
    assert vk.ledger.sent() == []


def test_dialogs_and_files_are_refused_in_words(chat: Chat) -> None:
    with pytest.raises(Permanent, match="no dialogs"):
        chat.open_dialog({})
    with pytest.raises(Permanent, match="no files"):
        chat.upload({})
