from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from malexbot.errors import Transient, Uncertain
from malexbot.messengers.mattermost import chat as chats
from malexbot.messengers.mattermost.chat import MattermostChat
from malexbot.messengers.mattermost.client import Client
from malexbot.sandbox.fixtures import Mattermost
from tests.messengers.mattermost.scripted import RESET, Scripted, answer

CARD = {"text": "card", "controls": []}
PRESSABLE = {
    "text": "pressable",
    "controls": [
        {"kind": "button", "action": "ok", "label": "OK", "ref": "ab" * 16},
    ],
}
PUBLIC_URL = "https://bot.example.org"


class Integration:
    """Takes slash commands, and tells nothing yet."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.calls.append(self.rfile.read(length))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/slash"

    def response_url(self) -> str:
        from urllib.parse import parse_qs

        return parse_qs(self.calls[-1].decode())["response_url"][0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def integration() -> Iterator[Integration]:
    made = Integration()
    yield made
    made.close()


@pytest.fixture
def chat(mattermost: Mattermost, client: Client) -> MattermostChat:
    return MattermostChat(client, site=mattermost.url, public_url=PUBLIC_URL)


@pytest.fixture
def way(mattermost: Mattermost, integration: Integration) -> str:
    """What a slash command of alice brought along."""
    town, acts = mattermost.town, mattermost.acts
    acts.add_command(town.team, "go", integration.url, town.admin)
    acts.execute(town.alice, town.channel, "/go")
    return integration.response_url()


def asked(mattermost: Mattermost, **more: Any) -> dict[str, Any]:
    town = mattermost.town
    told = {"event_id": "e", "user_id": town.alice, "channel_id": town.channel}
    return {**told, "message": "", "in_channel": False, "cards": [], **more}


def whispered(mattermost: Mattermost) -> list[str]:
    rows = mattermost.acts.whispers(mattermost.town.alice)
    return [row["message"] for row in rows]


def direct(mattermost: Mattermost) -> list[str]:
    town = mattermost.town
    entries = mattermost.ledger.entries()
    return [e.text for e in entries if e.channel_id == town.direct]


def test_a_command_s_answer_follows_by_its_own_way(
    mattermost: Mattermost, chat: MattermostChat, way: str
) -> None:
    sent = chat.answer(asked(mattermost, response_url=way, message="done"), key="k")
    assert sent.post_id == ""
    assert whispered(mattermost) == ["done"]
    assert direct(mattermost) == []


def test_it_follows_for_all_if_it_is_for_all(
    mattermost: Mattermost, chat: MattermostChat, way: str
) -> None:
    payload = asked(mattermost, response_url=way, message="done", in_channel=True)
    chat.answer(payload, key="k")
    said = [entry.text for entry in mattermost.ledger.entries()]
    assert said[-1] == "done"
    assert whispered(mattermost) == []


def test_a_way_that_is_used_up_is_no_end(
    mattermost: Mattermost, chat: MattermostChat, way: str
) -> None:
    for number in range(7):
        payload = asked(mattermost, response_url=way, message=str(number))
        chat.answer(payload, key=f"k{number}")
    assert whispered(mattermost) == ["0", "1", "2", "3", "4"]
    assert direct(mattermost) == ["5", "6"]


def test_an_unknown_way_is_no_end(mattermost: Mattermost, chat: MattermostChat) -> None:
    url = f"{mattermost.url}/hooks/commands/{'a' * 26}"
    chat.answer(asked(mattermost, response_url=url, message="done"), key="k")
    assert direct(mattermost) == ["done"]


def test_only_our_own_server_is_called(
    mattermost: Mattermost, chat: MattermostChat, integration: Integration, way: str
) -> None:
    """The server may call itself by a name that is not known here, or by any."""
    calls = len(integration.calls)
    there = integration.url.removesuffix("/slash")
    url = f"{there}/hooks/commands/{way[-26:]}"
    chat.answer(asked(mattermost, response_url=url, message="done"), key="k")
    assert whispered(mattermost) == ["done"]
    for other in (f"{there}/slash", f"{there}/hooks/x/../commands/1", "no url", "//"):
        chat.answer(asked(mattermost, response_url=other, message="more"), key=other)
    assert len(integration.calls) == calls


def test_the_token_goes_to_no_webhook(client: Client) -> None:
    with Scripted(answer("200 OK", b"ok")) as server:
        client.tell(f"{server.url}/hooks/x", {"text": "a"})
    (head,) = server.heads()
    assert "authorization" not in head.lower()


def test_what_was_cut_off_is_uncertain(mattermost: Mattermost, client: Client) -> None:
    url = f"/hooks/commands/{'a' * 26}"
    for said in (RESET, answer("502 Bad Gateway", b"<html>"), answer("201 Created")):
        with Scripted(said) as server:
            chat = MattermostChat(client, site=server.url)
            with pytest.raises(Uncertain):
                chat.answer(asked(mattermost, response_url=url, message="a"), key="k")
    assert direct(mattermost) == []


def test_a_server_that_is_busy_is_asked_again(
    mattermost: Mattermost, client: Client
) -> None:
    url = f"/hooks/commands/{'a' * 26}"
    with Scripted(answer("429 Too Many", b"limit exceeded\n")) as server:
        chat = MattermostChat(client, site=server.url)
        with pytest.raises(Transient):
            chat.answer(asked(mattermost, response_url=url, message="a"), key="k")


def test_a_pressed_post_is_changed(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    sent = chat.send({**asked(mattermost), "message": "?", "cards": [CARD]}, key="a")
    update = {"message": "done", "cards": [PRESSABLE]}
    payload = asked(mattermost, post_id=sent.post_id, update=update)
    for _ in range(2):
        assert chat.answer(payload, key="k") == sent
    assert mattermost.acts.actions(sent.post_id)[0]["name"] == "OK"
    chat.answer({**payload, "update": {"message": "end", "cards": []}}, key="k")
    post = client.post(sent.post_id)
    assert (post["message"], post["props"]) == ("end", {"from_bot": "true"})
    assert direct(mattermost) == []


def test_who_pressed_is_told_beside_that(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    sent = chat.send({**asked(mattermost), "message": "?"}, key="a")
    update = {"message": "done", "cards": []}
    payload = asked(mattermost, post_id=sent.post_id, update=update, message="thanks")
    told = [chat.answer(payload, key="k") for _ in range(2)]
    assert direct(mattermost) == ["thanks"]
    assert told[0].post_id == told[1].post_id != sent.post_id
    assert client.post(sent.post_id)["message"] == "done"


def test_of_a_post_that_is_not_ours_who_pressed_is_told(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    town = mattermost.town
    theirs = mattermost.scene.post(town.channel, town.bob, "theirs")
    update = {"message": "done", "cards": [PRESSABLE]}
    for post_id in (theirs, "a" * 26):
        payload = asked(mattermost, post_id=post_id, update=update)
        sent = chat.answer(payload, key=post_id)
        assert mattermost.acts.actions(sent.post_id) == []
    assert direct(mattermost) == ["done", "done"]
    assert client.post(theirs)["message"] == "theirs"


def test_what_a_dialog_s_handler_found_wrong_is_told_directly(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    errors = {"name": "too short"}
    chat.answer(asked(mattermost, error="Not like this.", errors=errors), key="k")
    assert direct(mattermost) == ["Not like this.\nname: too short"]


def test_an_answer_for_all_is_posted(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    town = mattermost.town
    root = mattermost.scene.post(town.channel, town.alice, "root")
    payload = asked(mattermost, message="done", in_channel=True, root_id=root)
    post = client.post(chat.answer(payload, key="k").post_id)
    assert (post["channel_id"], post["root_id"]) == (town.channel, root)


def test_a_webhook_is_answered_in_the_thread_of_what_set_it_off(
    mattermost: Mattermost, client: Client, chat: MattermostChat
) -> None:
    town, scene = mattermost.town, mattermost.scene
    root = scene.post(town.channel, town.alice, "#go")
    reply = scene.post(town.channel, town.alice, "#go on", root_id=root)
    for post_id in (root, reply):
        payload = asked(mattermost, kind="hook", post_id=post_id, message="done")
        post = client.post(chat.answer(payload, key=post_id).post_id)
        assert (post["channel_id"], post["root_id"]) == (town.channel, root)
    assert direct(mattermost) == []


def test_a_long_answer_is_several_messages_once(
    mattermost: Mattermost, chat: MattermostChat
) -> None:
    text = "\n".join("x" * 99 for _ in range(400))
    payload = asked(mattermost, message=text, cards=[CARD])
    first, second = (chat.answer(payload, key="k") for _ in range(2))
    assert first.post_id == second.post_id
    assert "".join(direct(mattermost)).count("x") == text.count("x")
    assert len(direct(mattermost)) == 3


def test_nothing_is_said_where_there_is_nothing(
    mattermost: Mattermost, chat: MattermostChat, way: str
) -> None:
    assert chat.answer(asked(mattermost), key="k").post_id == ""
    assert chat.answer(asked(mattermost, response_url=way), key="k").post_id == ""
    assert direct(mattermost) == whispered(mattermost) == []


def test_the_time_is_bounded(
    mattermost: Mattermost, chat: MattermostChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "TIMEOUT_S", 0.0)
    sent = chat.send({**asked(mattermost), "message": "?"}, key="a")
    update = {"message": "done", "cards": []}
    payload = asked(mattermost, post_id=sent.post_id, update=update, message="thanks")
    with pytest.raises(Transient, match="no time left"):
        chat.answer(payload, key="k")
