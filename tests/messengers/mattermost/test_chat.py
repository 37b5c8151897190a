from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.messengers.mattermost import chat as chats
from malexbot.messengers.mattermost.chat import LONGEST_TEXT, PROP, MattermostChat
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.link import Link
from malexbot.ports import Chat, Sent
from malexbot.sandbox.fixtures import Mattermost

KEY = "db1-17"


@pytest.fixture
def chat(client: Client) -> MattermostChat:
    return MattermostChat(client)


def said(mattermost: Mattermost) -> list[str]:
    bot = mattermost.town.bot
    return [e.text for e in mattermost.ledger.entries() if e.user_id == bot]


def hello(mattermost: Mattermost) -> dict[str, str]:
    return {"channel_id": mattermost.town.channel, "message": "hello"}


def test_it_is_a_chat(chat: MattermostChat) -> None:
    port: Chat = chat
    assert port.timeout_s <= 15


def test_a_message_says_which_job_sent_it(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    payload = {**hello(mattermost), "props": {"x": 1}}
    sent = chat.send(payload, key=KEY)
    post = client.post(sent.post_id)
    assert post["message"] == "hello"
    assert (post["props"][PROP], post["props"]["x"]) == (KEY, 1)
    assert post["root_id"] == ""


def test_an_answer_goes_into_its_thread(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    town = mattermost.town
    root = mattermost.scene.post(town.channel, town.alice, "question")
    sent = chat.send({**hello(mattermost), "root_id": root}, key=KEY)
    assert client.post(sent.post_id)["root_id"] == root


def test_a_person_is_written_to_directly(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    town = mattermost.town
    payload = {"user_id": town.bob, "message": "psst"}
    first, second = chat.send(payload, key="1"), chat.send(payload, key="2")
    channel = client.post(first.post_id)["channel_id"]
    assert client.channel(channel)["type"] == "D"
    assert client.post(second.post_id)["channel_id"] == channel
    assert chat.find(payload, key="2", ago_s=1) == Sent(second.post_id, is_repeat=True)


def test_the_same_key_posts_once(mattermost: Mattermost, chat: MattermostChat) -> None:
    first = chat.send(hello(mattermost), key=KEY)
    assert chat.send(hello(mattermost), key=KEY).post_id == first.post_id
    assert said(mattermost) == ["hello"]
    assert chat.send(hello(mattermost), key="db1-18").post_id != first.post_id


def test_what_was_cut_off_after_saving_is_found(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    mattermost.faults.strike(1, "after")
    with pytest.raises(Uncertain):
        chat.send(hello(mattermost), key=KEY)
    found = chat.find(hello(mattermost), key=KEY, ago_s=60)
    assert found is not None
    assert found.is_repeat
    assert chat.send(hello(mattermost), key=KEY).post_id == found.post_id
    assert said(mattermost) == ["hello"]


def test_what_was_cut_off_before_is_not_found(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    mattermost.faults.strike(1, "before")
    with pytest.raises(Uncertain):
        chat.send(hello(mattermost), key=KEY)
    assert chat.find(hello(mattermost), key=KEY, ago_s=60) is None
    chat.send(hello(mattermost), key=KEY)
    assert said(mattermost) == ["hello"]


def test_it_is_looked_for_as_far_back_as_it_may_be(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town = mattermost.town
    sent = chat.send(hello(mattermost), key=KEY)
    mattermost.scene.post_many(town.channel, town.alice, ["x"] * 450)
    found = chat.find(hello(mattermost), key=KEY, ago_s=1)
    assert found == Sent(sent.post_id, is_repeat=True)


def test_it_is_found_by_one_whose_clock_is_wrong(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town = mattermost.town
    sent = chat.send(hello(mattermost), key=KEY)
    mattermost.scene.post_many(town.channel, town.alice, ["x"] * 450)
    link = Link(url=f"{mattermost.url}/api/v4", token=town.token)
    link.clock._ahead_ms += 3_600_000
    found = MattermostChat(Client(link)).find(hello(mattermost), key=KEY, ago_s=1)
    link.close()
    assert found == Sent(sent.post_id, is_repeat=True)


def test_it_is_not_looked_for_further_back(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town, scene = mattermost.town, mattermost.scene
    long_ago = mattermost.clock.now_ms() - 86_400_000
    scene.post_many(town.second, town.alice, ["x"] * 650, create_at=long_ago)
    mattermost.faults.fail(500, pattern="[?&]page=[1-9]")
    payload = {"channel_id": town.second, "message": "hello"}
    assert chat.find(payload, key=KEY, ago_s=1) is None


def test_nobody_else_can_pretend_that_it_was_sent(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town = mattermost.town
    mattermost.scene.post(town.channel, town.alice, "hello", props={PROP: KEY})
    assert chat.find(hello(mattermost), key=KEY, ago_s=1) is None


def test_the_key_of_another_user_is_another_key(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town = mattermost.town
    link = Link(
        url=f"{mattermost.url}/api/v4", token=mattermost.scene.add_token(town.alice)
    )
    theirs = MattermostChat(Client(link)).send(hello(mattermost), key=KEY)
    assert chat.send(hello(mattermost), key=KEY).post_id != theirs.post_id
    link.close()


@pytest.mark.parametrize(
    ("status", "is_html", "kind"),
    [(429, False, Transient), (503, False, Transient), (502, True, Uncertain)],
)
def test_what_went_wrong_tells_what_a_repeat_means(
    mattermost: Mattermost,
    chat: MattermostChat,
    status: int,
    is_html: bool,
    kind: type[Exception],
) -> None:
    mattermost.faults.fail(status, pattern="POST /api/v4/posts", is_html=is_html)
    with pytest.raises(kind):
        chat.send(hello(mattermost), key=KEY)


def test_one_that_is_still_being_saved_is_not_given_up(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    mattermost.faults.hold_saving()
    told: SimpleQueue[object] = SimpleQueue()

    def send() -> None:
        try:
            told.put(chat.send(hello(mattermost), key=KEY))
        except Transient as error:
            told.put(error)

    both = [threading.Thread(target=send) for _ in range(2)]
    for thread in both:
        thread.start()
    assert isinstance(told.get(timeout=10), Transient)
    mattermost.faults.release_saving()
    assert isinstance(told.get(timeout=10), Sent)
    for thread in both:
        thread.join()
    assert said(mattermost) == ["hello"]


def test_to_be_shut_out_is_no_end(mattermost: Mattermost, chat: MattermostChat) -> None:
    mattermost.scene.disable(mattermost.town.bot)
    with pytest.raises(Transient):
        chat.send(hello(mattermost), key=KEY)


def test_where_the_bot_may_not_write_it_gives_up(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    town = mattermost.town
    mattermost.scene.leave(town.private, town.bot, by=town.admin)
    with pytest.raises(Permanent):
        chat.send({"channel_id": town.private, "message": "hello"}, key=KEY)


def test_a_nul_does_not_cost_the_message(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    chat.send({**hello(mattermost), "message": "a\0b \ud800"}, key=KEY)
    assert said(mattermost)[0].startswith("a\ufffdb")


def test_the_server_tells_how_long_a_text_may_be(
    mattermost: Mattermost, chat: MattermostChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    mattermost.faults.fail(500, pattern="config/client")
    monkeypatch.setattr(chats, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(chats, "SEAT_S", 0.0)
    hasty = MattermostChat(chat._client)
    assert hasty.longest_text == LONGEST_TEXT
    mattermost.faults.heal()
    assert hasty.longest_text == 16383
    mattermost.faults.fail(500)
    assert hasty.longest_text == 16383


def test_emoji_and_edits(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    sent = chat.send(hello(mattermost), key=KEY)
    payload = {"channel_id": mattermost.town.channel, "post_id": sent.post_id}
    for _ in range(2):
        chat.react({**payload, "emoji": "tada"})
    chat.edit({**payload, "message": "hi"})
    post = client.post(sent.post_id)
    assert post["message"] == "hi"
    assert post["props"][PROP] == KEY
    assert [r["emoji_name"] for r in post["metadata"]["reactions"]] == ["tada"]


def test_the_time_is_bounded(
    mattermost: Mattermost, chat: MattermostChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "TIMEOUT_S", 0.0)
    town = mattermost.town
    with pytest.raises(Transient, match="no time left"):
        chat.send({"user_id": town.bob, "message": "psst"}, key=KEY)
    mattermost.scene.post_many(town.channel, town.alice, ["x"] * 300)
    with pytest.raises(Transient, match="no time left"):
        chat.find(hello(mattermost), key=KEY, ago_s=1000)
    assert said(mattermost) == []
