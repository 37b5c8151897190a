from __future__ import annotations

import base64
import threading
from queue import SimpleQueue

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.messengers.mattermost import chat as chats
from malexbot.messengers.mattermost.answers import LONGEST_TEXT
from malexbot.messengers.mattermost.chat import PROP, MattermostChat
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


PUBLIC_URL = "https://bot.example.org"
BUTTON = {"kind": "button", "action": "ok", "label": "OK", "ref": "ab" * 16}
CARD = {"text": "sure?", "controls": [BUTTON]}


@pytest.fixture
def reached(mattermost: Mattermost, client: Client) -> MattermostChat:
    """One whose server can call us, and post by a webhook."""
    town = mattermost.town
    hook = mattermost.acts.add_incoming_hook(town.second, town.admin)
    return MattermostChat(
        client, site=mattermost.url, public_url=PUBLIC_URL, webhooks={"ops": hook}
    )


def test_cards_are_sent_with_what_can_be_pressed(
    mattermost: Mattermost, client: Client, reached: MattermostChat
) -> None:
    sent = reached.send({**hello(mattermost), "cards": [CARD]}, key=KEY)
    (action,) = mattermost.acts.actions(sent.post_id)
    assert action["name"] == "OK"
    props = client.post(sent.post_id)["props"]
    assert props[PROP] == KEY
    assert props["attachments"][0]["text"] == "sure?"
    assert "ab" * 16 not in str(props)


def test_what_nobody_could_press_is_not_sent(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    with pytest.raises(Permanent, match="public_url"):
        chat.send({**hello(mattermost), "cards": [CARD]}, key=KEY)
    assert said(mattermost) == []


def test_an_edit_leaves_the_buttons_or_takes_them(
    mattermost: Mattermost, reached: MattermostChat
) -> None:
    sent = reached.send({**hello(mattermost), "cards": [CARD]}, key=KEY)
    acts, town = mattermost.acts, mattermost.town
    (before,) = acts.actions(sent.post_id)
    reached.edit({"post_id": sent.post_id, "message": "hi"})
    (after,) = acts.actions(sent.post_id)
    assert after == before
    with pytest.raises(Exception) as failed:
        acts.press(town.alice, sent.post_id, after["id"])
    assert "action_integration" in getattr(failed.value, "id", ""), "it is still there"
    reached.edit({"post_id": sent.post_id, "message": "hi", "cards": []})
    assert acts.actions(sent.post_id) == []


def test_a_webhook_is_a_channel_too(
    mattermost: Mattermost, client: Client, reached: MattermostChat
) -> None:
    payload = {"channel_id": "hook:ops", "message": "from ci\0", "cards": [CARD]}
    assert reached.send(payload, key=KEY) == Sent("")
    (entry,) = mattermost.ledger.entries()
    assert (entry.channel_id, entry.text) == (mattermost.town.second, "from ci\ufffd")
    post = client.post(entry.id)
    assert post["props"][PROP] == KEY
    assert post["props"]["attachments"][0]["text"] == "sure?"


def test_a_webhook_that_nobody_named_gets_nothing(reached: MattermostChat) -> None:
    with pytest.raises(Permanent, match="incoming_webhooks"):
        reached.send({"channel_id": "hook:none", "message": "x"}, key=KEY)


def test_whether_a_webhook_took_it_nobody_can_look(reached: MattermostChat) -> None:
    with pytest.raises(Permanent, match="retry"):
        reached.find({"channel_id": "hook:ops", "message": "x"}, key=KEY, ago_s=60)


def test_a_webhook_s_address_is_in_no_error(client: Client, unused_port: int) -> None:
    hook = f"http://127.0.0.1:{unused_port}/hooks/s3cret"
    chat = MattermostChat(client, webhooks={"ops": hook})
    with pytest.raises(Transient) as failed:
        chat.send({"channel_id": "hook:ops", "message": "x"}, key=KEY)
    assert "s3cret" not in str(failed.value)


def test_a_file_is_there_for_what_is_sent_then(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    content = base64.b64encode(b"a,b\n").decode()
    file = {**hello(mattermost), "name": "table.csv", "content": content}
    first, second = chat.upload(file), chat.upload(file)
    assert first != second
    sent = chat.send({**hello(mattermost), "file_ids": [second]}, key=KEY)
    post = client.post(sent.post_id)
    assert [each["name"] for each in post["metadata"]["files"]] == ["table.csv"]


def test_a_file_for_a_person_goes_into_their_channel(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    person = {"user_id": mattermost.town.bob}
    content = base64.b64encode(b"x").decode()
    file_id = chat.upload({**person, "name": "x", "content": content})
    payload = {**person, "message": "", "file_ids": [file_id]}
    sent = chat.send(payload, key=KEY)
    assert client.post(sent.post_id)["file_ids"] == [file_id]


def test_what_is_no_file_is_refused(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    with pytest.raises(Permanent):
        chat.upload({**hello(mattermost), "name": "x", "content": "no base64!"})


def test_a_dialog_that_comes_too_late_is_not_opened(reached: MattermostChat) -> None:
    payload = {
        "trigger_id": "garbage",
        "ref": "ab" * 16,
        "action": "request",
        "title": "Ask",
        "fields": [],
    }
    with pytest.raises(Permanent, match="trigger"):
        reached.open_dialog(payload)
