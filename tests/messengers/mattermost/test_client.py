from __future__ import annotations

import logging
import threading
import time
from queue import SimpleQueue

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import (
    Busy,
    Forbidden,
    Missing,
    Rejected,
    Unauthorised,
    Unclear,
    Unreachable,
)
from malexbot.messengers.mattermost.link import Link
from malexbot.runtime.stop import Stop
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.orders import Moment


def test_the_bot_finds_itself_its_teams_and_its_channels(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    assert client.me()["id"] == client.own_id == town.bot
    assert [team["id"] for team in client.teams()] == [town.team]
    ids = {channel["id"] for channel in client.channels(town.team)}
    assert {town.channel, town.second, town.private, town.direct} <= ids
    assert client.channel(town.private)["type"] == "P"
    assert client.channel_by_name("malex", "general")["id"] == town.channel
    assert client.direct_channel(town.alice)["id"] == town.direct
    assert client.users([town.alice])[0]["username"] == "alice"
    assert client.user_by_name("bob")["id"] == town.bob
    assert client.client_config()["MaxPostSize"] == "16383"
    assert client.ping()["status"] == "OK"


def test_a_post_lives_its_life(mattermost: Mattermost, client: Client) -> None:
    town = mattermost.town
    file_id = client.upload(town.channel, "notes.txt", b"all of it")
    root = client.create_post(town.channel, "one", file_ids=[file_id])
    answer = client.create_post(
        town.channel, "two", root_id=root["id"], props={"malexbot": "7"}
    )
    client.react(root["id"], "thumbsup")
    assert client.patch_post(answer["id"], message="2")["message"] == "2"
    assert client.post(answer["id"])["props"]["malexbot"] == "7"
    assert client.post(root["id"])["file_ids"] == [file_id]
    client.delete_post(answer["id"])
    with pytest.raises(Missing):
        client.post(answer["id"])


def test_pages_are_asked_in_each_direction(
    mattermost: Mattermost, client: Client
) -> None:
    channel = mattermost.town.second
    ids = []
    for number in range(4):
        mattermost.clock.shift(10 * number)  # else two may share a millisecond
        ids.append(client.create_post(channel, str(number))["id"])
    middle = ids[1]
    assert client.posts(channel, after=middle)["order"][::-1] == ids[2:]
    assert client.posts(channel, before=middle, per_page=1)["order"] == ids[:1]
    assert client.posts(channel, page=1, per_page=2)["order"] == [ids[1], ids[0]]
    since = client.post(ids[3])["create_at"] - 1
    assert ids[3] in client.posts(channel, since=since)["posts"]


def test_the_same_pending_id_gives_the_same_post(
    mattermost: Mattermost, client: Client
) -> None:
    channel = mattermost.town.channel
    first = client.create_post(channel, "once", pending_post_id="bot:1")
    again = client.create_post(channel, "once", pending_post_id="bot:1")
    assert again["id"] == first["id"]


def test_a_refusal_tells_status_id_and_request(
    mattermost: Mattermost, client: Client
) -> None:
    with pytest.raises(Missing) as missing:
        client.post(new_id())
    assert isinstance(missing.value, Permanent)
    assert missing.value.status == 404
    assert missing.value.request_id in str(missing.value)
    with pytest.raises(Forbidden) as forbidden:
        client.create_post(new_id(), "nowhere")
    assert forbidden.value.id == "api.context.permissions.app_error"
    with pytest.raises(Rejected, match="is_valid.msg"):
        client.create_post(mattermost.town.channel, "x" * 16384)


def test_a_refused_token_may_be_good_again(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.scene.disable(mattermost.town.bot)
    with pytest.raises(Unauthorised) as refused:
        client.me()
    assert refused.value.is_session_expired
    assert isinstance(refused.value, Transient)
    mattermost.scene.enable(mattermost.town.bot)
    assert client.me()["username"] == "malexbot"


@pytest.mark.parametrize(
    ("status", "is_html"), [(500, False), (502, True), (503, True), (429, False)]
)
def test_reading_is_repeated_until_the_server_can(
    mattermost: Mattermost, client: Client, status: int, is_html: bool
) -> None:
    mattermost.faults.fail(status, times=1, is_html=is_html, retry_after_s=0)
    assert client.me()["id"] == mattermost.town.bot


def test_patience_ends(mattermost: Mattermost, link: Link) -> None:
    mattermost.faults.fail(502, is_html=True)
    with pytest.raises(Busy) as busy:
        Client(link, patience_s=0).me()
    assert busy.value.status == 502


@pytest.mark.parametrize(
    ("status", "is_html", "kind"),
    [
        (429, False, Transient),
        (503, True, Transient),
        (500, False, Transient),
        (500, True, Uncertain),
        (502, True, Uncertain),
        (504, False, Uncertain),
        (403, True, Transient),
        (404, True, Transient),
    ],
)
def test_a_send_is_never_repeated_by_itself(
    mattermost: Mattermost,
    client: Client,
    status: int,
    is_html: bool,
    kind: type[Exception],
) -> None:
    mattermost.faults.fail(status, times=1, is_html=is_html)
    with pytest.raises(kind):
        client.create_post(mattermost.town.channel, "once")
    assert "once" not in [entry.text for entry in mattermost.ledger.entries()]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_send_cut_off_is_uncertain(
    mattermost: Mattermost, client: Client, moment: Moment
) -> None:
    mattermost.faults.strike(1, moment)
    with pytest.raises(Unclear):
        client.create_post(mattermost.town.channel, "perhaps")


def test_a_post_that_is_still_being_saved_is_worth_a_wait(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.hold_saving()
    told: SimpleQueue[Exception | str] = SimpleQueue()

    def send() -> None:
        try:
            channel = mattermost.town.channel
            post = client.create_post(channel, "slow", pending_post_id="slow:1")
            told.put(post["message"])
        except Exception as error:
            told.put(error)

    both = [threading.Thread(target=send) for _ in range(2)]
    for thread in both:
        thread.start()
    assert isinstance(told.get(timeout=10), Busy)
    mattermost.faults.release_saving()
    assert told.get(timeout=10) == "slow"
    for thread in both:
        thread.join()


def test_a_server_that_is_not_there_is_no_uncertainty(unused_port: int) -> None:
    link = Link(url=f"http://127.0.0.1:{unused_port}/api/v4", token="t" * 26)
    with pytest.raises(Unreachable, match="[Rr]efused"):
        Client(link, patience_s=0).create_post("c" * 26, "hello")
    link.close()


def test_a_stop_ends_the_waiting(mattermost: Mattermost, link: Link) -> None:
    mattermost.faults.fail(429, retry_after_s=30)
    stop = Stop()
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Busy):
        Client(link, stop=stop).me()
    assert time.monotonic() - began < 5


def test_a_met_limit_holds_everybody(mattermost: Mattermost, link: Link) -> None:
    mattermost.faults.fail(429, times=1, retry_after_s=30)
    with pytest.raises(Busy) as busy:
        Client(link, patience_s=0).me()
    assert busy.value.retry_after_s == 30
    with pytest.raises(Busy, match="no room"):
        Client(link, patience_s=1).teams()


def test_the_limit_is_never_met(mattermost: Mattermost, client: Client) -> None:
    mattermost.settings.rate_per_s = 100
    mattermost.settings.rate_burst = 12
    mattermost.settings.doubles_rate_headers = True
    failures: list[Exception] = []

    def send() -> None:
        try:
            for _ in range(10):
                client.create_post(mattermost.town.channel, "x")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_token_shows_nowhere(
    mattermost: Mattermost,
    link: Link,
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    mattermost.settings.is_developer = True
    mattermost.scene.disable(mattermost.town.bot)
    with pytest.raises(Unauthorised) as refused:
        client.me()
    told = [repr(link), repr(client), str(refused.value), repr(refused.value)]
    assert mattermost.town.token not in "\n".join([*told, caplog.text])
    assert "mattermostdriver" not in caplog.text
