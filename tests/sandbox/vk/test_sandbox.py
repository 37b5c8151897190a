"""The loopback VK answers as the real one does, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from malexbot.sandbox.vk.world import VkSettings

PATIENCE_S = 10.0


class Api:
    """The calls of a bot, raw."""

    def __init__(self, vk: VkSandbox) -> None:
        self.vk = vk
        self.session = requests.Session()
        self.session.trust_env = False
        self.key, self.server, self.ts = "", "", ""

    def __call__(self, method: str, **params: Any) -> Any:
        base = {"access_token": self.vk.settings.token, "v": "5.199"}
        url = f"{self.vk.api_base}/{method}"
        answer = self.session.post(url, data={**base, **params}, timeout=PATIENCE_S)
        return answer.json()

    def connect(self) -> None:
        told = self("groups.getLongPollServer", group_id=self.vk.settings.group_id)
        self.__dict__.update(told["response"])

    def poll(self, wait: float = 0) -> Any:
        query = f"act=a_check&key={self.key}&ts={self.ts}&wait={wait}"
        answer = self.session.get(f"{self.server}?{query}", timeout=PATIENCE_S)
        return answer.json()


@pytest.fixture
def vk() -> Iterator[VkSandbox]:
    with VkSandbox() as vk:
        yield vk


@pytest.fixture
def api(vk: VkSandbox) -> Iterator[Api]:
    api = Api(vk)
    api.connect()
    yield api
    api.session.close()


@pytest.fixture
def chat(vk: VkSandbox) -> int:
    return vk.scene.add_chat("Town")


def code(answer: Any) -> int:
    return int(answer["error"]["error_code"])


# The API.


def test_an_error_says_what_was_asked_but_not_by_whom(api: Api) -> None:
    error = api("users.nothing", user_ids=1)["error"]
    assert (error["error_code"], error["error_msg"]) == (3, "Unknown method passed")
    assert {"key": "method", "value": "users.nothing"} in error["request_params"]
    assert "access_token" not in json.dumps(error)


@pytest.mark.parametrize(
    ("params", "expected"), [({"access_token": "x"}, 5), ({"user_ids": "x"}, 100)]
)
def test_wrong_calls_are_refused(
    api: Api, params: dict[str, str], expected: int
) -> None:
    assert code(api("users.get", **params)) == expected


def test_a_captcha_tells_how_it_is_solved(api: Api, vk: VkSandbox) -> None:
    vk.faults.refuse(14, times=1)
    assert "captcha_sid" in api("users.get", user_ids=1)["error"]
    assert api("users.get", user_ids=1) == {"response": []}


def test_more_calls_than_the_limit_are_refused() -> None:
    with VkSandbox(settings=VkSettings(rate_per_s=3)) as vk:
        api = Api(vk)
        answers = [api("users.get", user_ids=1) for _ in range(4)]
        api.session.close()
    assert [("error" in answer) for answer in answers] == [False] * 3 + [True]
    assert code(answers[3]) == 6


def test_the_same_random_id_posts_once(api: Api, vk: VkSandbox, chat: int) -> None:
    sends = [
        api("messages.send", peer_ids=chat, random_id=random_id, message="hi")
        for random_id in (7, 7, 8, 0, 0)
    ]
    cmids = [send["response"][0]["conversation_message_id"] for send in sends]
    assert cmids == [1, 1, 2, 3, 4]
    assert vk.ledger.repeated() == []


def test_a_send_to_many_has_an_error_for_each(
    api: Api, vk: VkSandbox, chat: int
) -> None:
    shy = vk.scene.add_person(takes_messages=False)
    told = api("messages.send", peer_ids=f"{chat},{shy}", random_id=7, message="hi")
    assert "error" not in told["response"][0]
    assert told["response"][1]["error"]["code"] == 901


def test_chats_show_their_title_to_an_admin_only(
    api: Api, vk: VkSandbox, chat: int
) -> None:
    shut = vk.scene.add_chat("Shut", is_admin=False)
    told = api("messages.getConversationsById", peer_ids=f"{chat},{shut}")["response"]
    assert told["count"] == 1
    assert told["items"][0]["chat_settings"]["title"] == "Town"
    vk.scene.throw_out(chat)
    assert code(api("messages.getConversationsById", peer_ids=chat)) == 917


def test_a_press_is_answered_once_and_in_time(
    api: Api, vk: VkSandbox, chat: int
) -> None:
    anna = vk.scene.add_person()
    press = {"user_id": anna, "peer_id": chat}
    method, shown = "messages.sendMessageEventAnswer", '{"type":"show_snackbar"}'
    first = vk.scene.press(chat, anna, 1, {})
    told = [api(method, event_id=first, event_data=shown, **press) for _ in range(2)]
    assert (told[0], code(told[1])) == ({"response": 1}, 100)
    vk.settings.press_s = 0
    late = vk.scene.press(chat, anna, 1, {})
    assert code(api(method, event_id=late, **press)) == 100
    assert [answer.event_id for answer in vk.ledger.press_answers()] == [first]


def test_an_edit_without_a_keyboard_takes_it_away(
    api: Api, vk: VkSandbox, chat: int
) -> None:
    where = {"peer_id": chat, "conversation_message_id": 1}
    keyboard = '{"inline":true,"buttons":[]}'
    api("messages.send", peer_ids=chat, random_id=7, message="a", keyboard=keyboard)
    api("messages.edit", message="b", **where)
    method = "messages.getByConversationMessageId"
    told = api(method, peer_id=chat, conversation_message_ids=1)
    (shown,) = told["response"]["items"]
    assert (shown["text"], "keyboard" in shown) == ("b", False)


def test_what_can_be_pressed_is_seen(api: Api, vk: VkSandbox, chat: int) -> None:
    callback = {"type": "callback", "label": "Yes", "payload": '{"ref":"r"}'}
    link = {"type": "open_link", "label": "More", "link": "https://vk.com"}
    buttons = [[{"action": link}], [{"action": callback}]]
    keyboard = json.dumps({"inline": True, "buttons": buttons})
    api("messages.send", peer_ids=chat, random_id=7, message="a", keyboard=keyboard)
    (button,) = vk.scene.buttons()
    assert button == {"peer_id": chat, "cmid": 1, "payload": {"ref": "r"}}
    api("messages.edit", message="b", peer_id=chat, conversation_message_id=1)
    assert vk.scene.buttons() == []


# The long poll.


def test_a_poll_waits_for_what_happens(api: Api, vk: VkSandbox, chat: int) -> None:
    anna = vk.scene.add_person()
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(api.poll(25)))
    thread.start()
    wait_for_poll(vk)
    vk.scene.say(chat, anna, "hello")
    thread.join()
    assert found[0]["ts"] == "1"
    assert found[0]["updates"][0]["object"]["message"]["text"] == "hello"


def test_a_poll_that_waited_enough_is_empty(api: Api) -> None:
    assert api.poll() == {"ts": "0", "updates": []}


def test_an_old_ts_tells_again(api: Api, vk: VkSandbox) -> None:
    for _ in range(3):
        vk.scene.happen("group_join", {})
    first = api.poll()
    assert first == api.poll()
    api.ts = "2"
    assert len(api.poll()["updates"]) == 1


def test_each_end_of_a_session_is_told_its_way(api: Api, vk: VkSandbox) -> None:
    vk.scene.happen("group_join", {})
    api.ts = "99"
    assert api.poll() == {"failed": 1, "ts": 1}
    api.ts = "0"
    vk.scene.outdate_history()
    assert api.poll() == {"failed": 1, "ts": 1}
    vk.scene.expire_key()
    assert api.poll() == {"failed": 2}
    api.connect()
    vk.scene.lose_information()
    assert api.poll() == {"failed": 3}


def test_updates_can_be_doubled_malformed_and_lost(api: Api, vk: VkSandbox) -> None:
    vk.faults.duplicate_updates()
    twice = vk.scene.happen("group_join", {})
    vk.faults.malform_update('{"type": 7}')
    bad = vk.scene.happen("group_join", {})
    vk.faults.lose_updates()
    lost = vk.scene.happen("group_join", {})
    updates = api.poll()["updates"]
    ids = [update.get("event_id", "") for update in updates]
    assert ids == [twice, twice, ""]
    assert vk.ledger.lost(ids) == [bad, lost]
    assert vk.ledger.doubled(ids) == [twice]


def test_a_deaf_session_hears_once_it_is_made_anew(api: Api, vk: VkSandbox) -> None:
    vk.faults.deaf()
    vk.scene.happen("group_join", {})
    assert api.poll()["updates"] == []
    ts = api.ts
    api.connect()
    api.ts = ts
    assert len(api.poll()["updates"]) == 1


def test_an_answer_can_break_off(api: Api, vk: VkSandbox) -> None:
    vk.faults.cut_polls_short()
    with pytest.raises(requests.RequestException):
        api.poll()
    vk.faults.heal()
    assert api.poll()["updates"] == []


def test_the_end_waits_for_no_poll() -> None:
    with VkSandbox() as vk:
        api = Api(vk)
        api.connect()
        failed: list[Exception] = []

        def poll() -> None:
            try:
                api.poll(90)
            except requests.RequestException as error:
                failed.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        wait_for_poll(vk)
        began = time.monotonic()
    thread.join()
    api.session.close()
    assert failed and time.monotonic() - began < PATIENCE_S


def test_a_restart_loses_nothing_that_waits(api: Api, vk: VkSandbox) -> None:
    vk.scene.happen("group_join", {})
    vk.restart()
    assert len(api.poll()["updates"]) == 1


# What VK itself says is lost.


def test_what_is_gone_before_it_was_asked_for_is_declared_lost(
    api: Api, vk: VkSandbox
) -> None:
    fetched = vk.scene.happen("group_join", {})
    api.ts = api.poll()["ts"]
    vk.faults.malform_update('{"type": 7}')
    gone = vk.scene.happen("group_join", {})
    vk.scene.outdate_history()
    kept = vk.scene.happen("group_join", {})
    assert vk.ledger.declared_lost() == []
    assert api.poll() == {"failed": 1, "ts": 3}
    assert vk.ledger.declared_lost() == [gone, kept]
    assert vk.ledger.lost([fetched]) == [gone, kept]
    assert vk.ledger.polled() == [0, 1]


def test_with_its_information_all_is_lost_up_to_the_new_session(
    api: Api, vk: VkSandbox
) -> None:
    gone = vk.scene.happen("group_join", {})
    vk.scene.lose_information()
    assert api.poll() == {"failed": 3}
    late = [vk.scene.happen("group_join", {})]
    api.connect()
    # Its answer was lost, as may be.
    late.append(vk.scene.happen("group_join", {}))
    api.connect()
    assert vk.ledger.declared_lost() == [gone, *late]
    later = vk.scene.happen("group_join", {})
    assert len(api.poll()["updates"]) == 1
    api.connect()
    assert later not in vk.ledger.declared_lost()


def test_what_nobody_is_told_has_no_place_in_the_queue(vk: VkSandbox) -> None:
    vk.faults.lose_updates()
    vk.scene.happen("group_join", {})
    vk.faults.malform_update('{"type": 7}')
    vk.scene.happen("group_join", {})
    vk.faults.duplicate_updates()
    vk.scene.happen("group_join", {})
    vk.scene.happen("group_join", {})
    assert [told.ts for told in vk.ledger.updates()] == [0, 0, 2, 4]
    assert [told.spoilt_ts for told in vk.ledger.updates()] == [0, 1, 0, 0]
