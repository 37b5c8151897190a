from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from malexbot.events import Event, Peer, User
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.directory import PEER_COUNTS_S, Directory
from malexbot.messengers.vk.link import Link
from malexbot.messengers.vk.translate import Translator
from malexbot.runtime.stop import Stop
from malexbot.sandbox.vk.sandbox import VkSandbox
from tests.messengers.vk.conftest import Town


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Happenings:
    """What was told so far, as events."""

    def __init__(self, vk: VkSandbox, translator: Translator) -> None:
        self._vk = vk
        self._translator = translator

    def __call__(self) -> list[Event]:
        return [
            self._translator.event(
                {"type": told.type, "event_id": told.event_id, "object": told.object},
                origin="live",
                connection=1,
            )
            for told in self._vk.ledger.updates()
        ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(client: Client, translator: Translator, clock: Clock) -> Directory:
    return Directory(client, translator, clock=clock)


@pytest.fixture
def happened(vk: VkSandbox, translator: Translator) -> Happenings:
    return Happenings(vk, translator)


def test_an_event_is_told_with_names(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    vk.scene.say(town.chat, town.anna, "hi")
    (event,) = directory.complete(happened())
    assert event.user == User(town.anna, "Anna Lind", "Anna", "Lind", "annalind")
    assert event.peer == Peer(town.chat, 1, "Town")
    assert event.data["enriched"] is True


def test_many_events_cost_a_call_of_each_kind(
    directory: Directory, vk: VkSandbox, happened: Happenings
) -> None:
    for number in range(30):
        chat = vk.scene.add_chat(f"{number}")
        vk.scene.say(chat, vk.scene.add_person(), "hi")
    events = directory.complete(happened())
    assert [event.peer.name for event in events] == [f"{n}" for n in range(30)]
    directory.complete(events)
    assert vk.ledger.calls() == {
        "users.get": 1,
        "messages.getConversationsById": 1,
    }
    numbers = directory.numbers
    assert (numbers.calls, numbers.misses, numbers.hits) == (2, 60, 60)


def test_names_are_asked_anew_in_time(
    directory: Directory,
    vk: VkSandbox,
    town: Town,
    clock: Clock,
    happened: Happenings,
) -> None:
    vk.scene.say(town.chat, town.anna, "hi")
    directory.complete(happened())
    vk.scene.rename_chat(town.chat, "City")
    clock.now += 590
    assert directory.complete(happened())[0].peer.name == "Town"
    clock.now += 20
    assert directory.complete(happened())[0].peer.name == "City"
    assert vk.ledger.calls()["users.get"] == 1


def test_a_private_message_is_from_where_its_author_is(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    vk.scene.say(town.anna, town.anna, "hi")
    (event,) = directory.complete(happened())
    assert event.peer == Peer(town.anna, town.anna, "Anna Lind")
    assert "messages.getConversationsById" not in vk.ledger.calls()


def test_a_community_is_not_asked_for(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    vk.scene.say(town.chat, -5, "hi")
    (event,) = directory.complete(happened())
    assert (event.user, event.data["enriched"]) == (User(-5), True)
    assert "users.get" not in vk.ledger.calls()


def test_who_does_not_exist_is_remembered_for_a_minute(
    directory: Directory,
    vk: VkSandbox,
    town: Town,
    clock: Clock,
    happened: Happenings,
) -> None:
    vk.scene.say(town.chat, 77, "hi")
    for _ in range(3):
        (event,) = directory.complete(happened())
        assert (event.user, event.data["enriched"]) == (User(77), True)
    assert vk.ledger.calls()["users.get"] == 1
    clock.now += 61
    directory.complete(happened())
    assert vk.ledger.calls()["users.get"] == 2


def test_a_chat_that_tells_nothing_has_no_name(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    shut = vk.scene.add_chat("Shut", is_admin=False)
    vk.scene.say(shut, town.anna, "hi")
    (event,) = directory.complete(happened())
    assert (event.peer, event.data["enriched"]) == (Peer(shut, 2), True)


def test_a_chat_that_is_shut_hides_no_other(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    chats = [vk.scene.add_chat(f"{number}") for number in range(8)]
    for chat in chats:
        vk.scene.say(chat, town.anna, "hi")
    vk.scene.throw_out(chats[5])
    events = directory.complete(happened())
    names = [event.peer.name for event in events]
    assert names == ["0", "1", "2", "3", "4", None, "6", "7"]
    enriched = [event.data["enriched"] for event in events]
    assert enriched == [True] * 5 + [False] + [True] * 2
    calls = vk.ledger.calls()["messages.getConversationsById"]
    assert directory.complete(events)[5].data["enriched"] is False
    assert vk.ledger.calls()["messages.getConversationsById"] == calls


@pytest.mark.parametrize("code", [5, 10, 29, 100])
def test_an_event_is_never_lost_for_want_of_a_name(
    directory: Directory,
    vk: VkSandbox,
    town: Town,
    happened: Happenings,
    code: int,
) -> None:
    vk.faults.refuse(code, method="users.get|Conversations")
    vk.scene.say(town.chat, town.anna, "hi")
    (event,) = directory.complete(happened())
    assert event.message is not None and event.message.text == "hi"
    assert (event.user, event.data["enriched"]) == (User(town.anna), False)


def test_an_outage_is_waited_for_once_not_by_each_event(
    directory: Directory,
    vk: VkSandbox,
    town: Town,
    clock: Clock,
    happened: Happenings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    vk.faults.fail(502, is_html=True)
    vk.scene.say(town.chat, town.anna, "hi")
    for number in range(3):
        vk.scene.say(vk.scene.add_chat("x"), vk.scene.add_person(), f"{number}")
        directory.complete(happened())
    assert directory.numbers.calls == 1
    assert caplog.text.count("no names of") == 1
    vk.faults.heal()
    clock.now += 6
    assert all(event.data["enriched"] for event in directory.complete(happened()))


def test_a_message_is_fetched_only_if_it_was_cropped(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    photos = [{"type": "photo"}] * 3
    vk.scene.say(town.chat, town.anna, "whole", attachments=photos)
    vk.scene.say(town.chat, town.anna, "big", attachments=photos, is_cropped=True)
    told = happened()
    assert told[1].message is not None
    assert told[1].message.attachments == ("photo",)
    for event in directory.complete(told):
        assert event.message is not None
        assert event.message.attachments == ("photo",) * 3
    assert vk.ledger.calls()["messages.getByConversationMessageId"] == 1


def test_a_cropped_message_that_cannot_be_fetched_stays_as_it_came(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    vk.faults.refuse(917, method="getByConversationMessageId")
    vk.scene.say(town.chat, town.anna, "big", is_cropped=True)
    (event,) = directory.complete(happened())
    assert event.message is not None and event.message.text == "big"
    assert event.data["enriched"] is False


def test_the_deactivated_have_the_names_that_vk_gives_them(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    gone = vk.scene.add_person("DELETED", "", deactivated="deleted")
    vk.scene.say(town.chat, gone, "hi")
    (event,) = directory.complete(happened())
    assert (event.user.name, event.user.lastname) == ("DELETED", None)


def test_presses_and_reactions_have_names_too(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings
) -> None:
    vk.scene.press(town.chat, town.anna, 1, {"ref": "x"})
    vk.scene.react(town.chat, town.anna, 1, 4)
    for event in directory.complete(happened()):
        assert (event.user.nick, event.peer.name) == ("annalind", "Town")


def test_what_is_in_mind_is_there_without_a_call(
    directory: Directory, vk: VkSandbox, town: Town, happened: Happenings, clock: Clock
) -> None:
    hidden = vk.scene.add_chat("Hidden", is_admin=False)
    vk.scene.say(town.chat, town.anna, "hi")
    vk.scene.say(hidden, town.anna, "hi")
    vk.scene.say(town.chat, town.anna, "hi", is_cropped=True)
    vk.scene.happen("group_join", {"user_id": town.anna, "join_type": "join"})
    vk.scene.happen("group_change_settings", {"changes": {}})
    bare = [directory.recall(event) for event in happened()]
    assert [event.data["enriched"] for event in bare] == [False] * 4 + [True]
    assert vk.ledger.calls() == {}
    whole = directory.complete(happened()[:2])
    calls = vk.ledger.calls()
    known = [directory.recall(event) for event in happened()]
    # Of a chat that tells nothing there is nothing more to know.
    assert [event.data["enriched"] for event in known] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert known[0].peer == whole[0].peer and known[3].user == whole[0].user
    clock.now += PEER_COUNTS_S
    assert not directory.recall(happened()[0]).data["enriched"]
    assert vk.ledger.calls() == calls


def test_many_lanes_cost_few_calls(
    directory: Directory, vk: VkSandbox, happened: Happenings
) -> None:
    """Fifty people in four chats; eight workers complete an event at a time."""
    chats = [vk.scene.add_chat(f"Chat {n}") for n in range(4)]
    people = [vk.scene.add_person(f"P{n}") for n in range(50)]
    for n in range(500):
        vk.scene.say(chats[n % 4], people[n % 50], "hi")
    events = happened()
    with ThreadPoolExecutor(8) as lanes:
        whole = list(lanes.map(directory.complete_one, events))
    assert all(event.data["enriched"] and event.user.name for event in whole)
    # Fifty-four names; one call each would be more than one in ten events.
    assert sum(vk.ledger.calls().values()) < 40
    # Warm: none at all.
    before = vk.ledger.calls()
    with ThreadPoolExecutor(8) as lanes:
        list(lanes.map(directory.complete_one, events))
    assert vk.ledger.calls() == before


class Odd(Client):
    """A client whose VK answers what it is told to."""

    answers: dict[str, Any] = {}

    def within(self, stop: Stop, *, patience_s: float = 0, read_s: float = 0) -> Client:
        return self

    def call(self, method: str, *, is_repeatable: bool = True, **params: Any) -> Any:
        return self.answers.get(method, {"items": []})


@pytest.mark.parametrize(
    "user",
    [
        {"first_name": 5, "last_name": ["x"], "domain": {}},
        {"first_name": "A\0", "last_name": None},
        {},
    ],
)
@pytest.mark.parametrize(
    "chat",
    [
        {"chat_settings": {"title": 7}},
        {"chat_settings": []},
        {"chat_settings": {"title": "T\0"}},
    ],
)
def test_odd_rows_cost_no_event(
    link: Link,
    translator: Translator,
    vk: VkSandbox,
    town: Town,
    happened: Happenings,
    user: dict[str, Any],
    chat: dict[str, Any],
) -> None:
    client = Odd(link)
    client.answers = {
        "users.get": [{"id": town.anna, **user}],
        "messages.getConversationsById": {
            "items": [{"peer": {"id": town.chat}, **chat}]
        },
    }
    vk.scene.say(town.chat, town.anna, "hi")
    event = Directory(client, translator).complete_one(happened()[0])
    assert event.message is not None and event.message.text == "hi"
    names = [*event.user[1:], event.peer.name]
    assert all(name is None or isinstance(name, str) for name in names)
    assert "\0" not in "".join(filter(None, names))
