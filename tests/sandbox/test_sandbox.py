"""The whole sandbox, as a plugin author meets it."""

from __future__ import annotations

import threading

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.sandbox import Sandbox
from tests.sandbox.clients import Client, Rest, message


def test_a_post_reaches_the_archive_and_the_socket(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    town = mattermost.town
    made = mattermost.scene.post(town.channel, town.alice, "hello")
    assert message(client.until("posted")) == "hello"
    page = bot.get(f"/channels/{town.channel}/posts")
    assert page["order"][0] == made
    assert page["posts"][made]["message"] == "hello"


def test_the_bots_answer_is_in_the_ledger(mattermost: Mattermost, bot: Rest) -> None:
    town = mattermost.town
    question = mattermost.scene.post(town.channel, town.alice, "how are you?")
    body = {"channel_id": town.channel, "root_id": question, "message": "fine"}
    bot.post("/posts", body)
    (answer,) = mattermost.ledger.answers(question, by=town.bot)
    assert answer.text == "fine"


def test_a_stopped_sandbox_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox, Rest(sandbox.url) as rest:
        assert rest.get("/system/ping")["status"] == "OK"
    assert set(threading.enumerate()) <= before


def test_stop_may_be_called_twice() -> None:
    sandbox = Sandbox().start()
    sandbox.stop()
    sandbox.stop()
