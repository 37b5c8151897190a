"""Each switch makes go wrong what it says, and nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
import websocket

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Client, Rest, message, short, wait_until


def say(mattermost: Mattermost, *texts: str) -> list[str]:
    town = mattermost.town
    return mattermost.scene.post_many(town.channel, town.alice, list(texts))


def ask(bot: Rest, mattermost: Mattermost, text: str = "x", **more: Any) -> Any:
    body = {"channel_id": mattermost.town.channel, "message": text} | more
    return bot("POST", "/posts", json=body)


# The lines.


def test_cut_resets_every_line(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    bot.get("/users/me")
    assert mattermost.faults.cut() == 2
    with pytest.raises(ConnectionResetError):
        client.receive()
    wait_until(lambda: mattermost.sockets() == 0)


def test_cut_without_a_reset_ends_the_line_in_order(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.cut(resets=False)
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        client.receive()


def test_cut_can_spare_the_others(mattermost: Mattermost, client: Client) -> None:
    scene, town = mattermost.scene, mattermost.town
    with Client(mattermost.url, scene.add_token(town.alice)) as alice:
        alice.upto_reply()
        assert mattermost.faults.cut(user_id=town.alice) == 1
        assert alice.is_closed()
        say(mattermost, "still here")
        assert message(client.until("posted")) == "still here"


def _answer(line: socket.socket) -> bytes:
    line.sendall(b"GET /api/v4/system/ping HTTP/1.1\r\nHost: x\r\n\r\n")
    return line.recv(65536)


def test_half_open_swallows_everything_in_silence(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    address = ("127.0.0.1", mattermost.port)
    with socket.create_connection(address) as old:
        _answer(old)
        mattermost.faults.half_open()
        post = json.dumps({"channel_id": mattermost.town.channel, "message": "lost"})
        head = f"Authorization: Bearer {mattermost.town.token}\r\n"
        head += f"Content-Length: {len(post)}\r\n\r\n"
        old.sendall(f"POST /api/v4/posts HTTP/1.1\r\n{head}{post}".encode())
        old.settimeout(0.2)
        with pytest.raises(TimeoutError):
            old.recv(1)
    assert mattermost.ledger.entries() == []
    say(mattermost, "swallowed")
    client.socket.settimeout(0.2)
    client.send(seq=1, action="ping")
    client.socket.ping()
    with pytest.raises(websocket.WebSocketTimeoutException):
        client.receive()
    with socket.create_connection(("127.0.0.1", mattermost.port)) as fresh:
        fresh.settimeout(0.2)
        fresh.sendall(b"GET /api/v4/system/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            fresh.recv(1)
        mattermost.faults.heal()
        fresh.settimeout(10)
        assert fresh.recv(1) == b""
    assert bot.get("/system/ping")["status"] == "OK"


def test_deaf_sockets_answer_pings_but_hear_nothing(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.deaf()
    say(mattermost, "unheard")
    assert client.upto_reply() == []
    mattermost.faults.deaf(False)
    say(mattermost, "heard")
    assert [message(frame) for frame in client.upto_reply()] == ["heard"]


def test_slow_waits_before_the_answers_that_fit(
    mattermost: Mattermost, bot: Rest
) -> None:
    mattermost.faults.slow(latency_s=0.8, pattern="users/me")
    start = time.monotonic()
    bot.get("/system/ping")
    quick_s = time.monotonic() - start
    bot.get("/users/me")
    assert quick_s < 0.8 <= time.monotonic() - start - quick_s


def test_slow_lets_the_answer_trickle(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.faults.slow(chunk=100, gap_s=0.01)
    start = time.monotonic()
    assert bot.get("/users/me")["username"] == "malexbot"
    assert time.monotonic() - start > 0.05


def test_a_slow_answer_does_not_hold_up_the_stop(mattermost: Mattermost) -> None:
    mattermost.faults.slow(latency_s=3600)
    with socket.create_connection(("127.0.0.1", mattermost.port)) as line:
        line.sendall(b"GET /api/v4/system/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        mattermost.restart()
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(1) == b""


# The answers.


def test_fail_answers_so_often_with_an_error(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.faults.fail(503, times=2, retry_after_s=7)
    answers = [bot("GET", "/users/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_fail_can_hit_a_fraction_of_what_fits(
    mattermost: Mattermost, bot: Rest
) -> None:
    mattermost.faults.fail(500, pattern="^GET .*users/me", every=3)
    statuses = [bot("GET", "/users/me").status_code for _ in range(6)]
    assert statuses == [200, 200, 500, 200, 200, 500]
    assert bot("GET", "/system/ping").status_code == 200


def test_fail_can_look_like_a_proxy(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.faults.fail(502, is_html=True)
    answer = bot("GET", "/users/me")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_fail_429_is_plain_text(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.faults.fail(429, retry_after_s=3)
    answer = bot("GET", "/users/me")
    assert (answer.status_code, answer.text) == (429, "limit exceeded\n")
    assert answer.headers["Retry-After"] == "3"


def test_fail_hits_the_handshake_too(mattermost: Mattermost) -> None:
    mattermost.faults.fail(502, is_html=True)
    with pytest.raises(websocket.WebSocketBadStatusException, match="502"):
        Client(mattermost.url, mattermost.town.token)


def test_heal_switches_all_off(mattermost: Mattermost, bot: Rest) -> None:
    faults = mattermost.faults
    faults.fail(500)
    faults.strike(1, "before")
    faults.slow(latency_s=3600)
    faults.deaf()
    faults.lose_events()
    faults.heal()
    assert ask(bot, mattermost).status_code == 201


# The rate limit.


def test_the_rate_limit_ends_a_burst(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.settings.rate_burst = 4
    mattermost.settings.rate_per_s = 0.5
    statuses = [bot("GET", "/users/me").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    over = bot("GET", "/users/me")
    assert over.text == "limit exceeded\n"
    assert over.headers["Retry-After"] == "2"
    with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
        Client(mattermost.url, mattermost.town.token)


def test_refused_requests_do_not_prolong_the_refusal(
    mattermost: Mattermost, bot: Rest
) -> None:
    mattermost.settings.rate_burst = 0
    mattermost.settings.rate_per_s = 5
    assert bot("GET", "/users/me").status_code == 200
    wait_until(lambda: bot("GET", "/users/me").status_code == 200, "it ends")


def test_rate_headers_can_come_doubled(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.settings.rate_per_s = 1
    mattermost.settings.rate_burst = 6
    mattermost.settings.doubles_rate_headers = True
    answer = bot("GET", "/users/me")
    assert answer.headers["X-Ratelimit-Remaining"] == "6, 6"


# The moments around a post.


@pytest.mark.parametrize(("moment", "saved"), [("before", False), ("after", True)])
def test_the_kth_post_gets_no_answer(
    mattermost: Mattermost, bot: Rest, moment: Any, saved: bool
) -> None:
    mattermost.faults.strike(2, moment)
    assert ask(bot, mattermost, "first").status_code == 201
    with pytest.raises(requests.ConnectionError):
        ask(bot, mattermost, "second", pending_post_id="p")
    texts = [entry.text for entry in mattermost.ledger.entries()]
    assert ("second" in texts) is saved
    again = ask(bot, mattermost, "again", pending_post_id="p").json()
    assert again["message"] == ("second" if saved else "again")
    assert mattermost.ledger.repeated() == {}


@pytest.mark.parametrize(("moment", "saved"), [("before", False), ("after", True)])
def test_a_process_is_killed_at_the_very_moment(
    mattermost: Mattermost, bot: Rest, moment: Any, saved: bool
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        mattermost.faults.strike(1, moment, "kill", pid=child.pid)
        with pytest.raises(requests.ConnectionError):
            ask(bot, mattermost, "last words")
        assert child.wait(10) == -9
    texts = [entry.text for entry in mattermost.ledger.entries()]
    assert ("last words" in texts) is saved


def test_while_a_post_is_being_saved_its_pending_id_is_refused(
    mattermost: Mattermost, bot: Rest, alice: Rest
) -> None:
    mattermost.faults.hold_saving()
    made: list[Any] = []
    first = threading.Thread(
        target=lambda: made.append(ask(bot, mattermost, "one", pending_post_id="p"))
    )
    first.start()
    wait_until(lambda: mattermost.faults.held() == 1, "the first one is being saved")
    second = ask(alice, mattermost, "two", pending_post_id="p")
    mattermost.faults.release_saving()
    first.join()
    assert second.status_code == 500
    assert second.json()["id"] == "api.post.deduplicate_create_post.pending"
    assert made[0].status_code == 201


# The frames.


def texts(client: Client) -> list[str]:
    return [short(frame) for frame in client.upto_reply()]


def test_duplicate_frames_have_the_same_number(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.duplicate_frames()
    say(mattermost, "a", "b")
    assert texts(client) == ["2:posted:a", "2:posted:a", "3:posted:b"]


def test_dropped_frames_leave_a_gap(mattermost: Mattermost, client: Client) -> None:
    mattermost.faults.drop_frames(2)
    say(mattermost, "a", "b", "c")
    assert texts(client) == ["4:posted:c"]


def test_lost_events_leave_no_gap(mattermost: Mattermost, client: Client) -> None:
    mattermost.faults.lose_events()
    say(mattermost, "a", "b")
    assert texts(client) == ["2:posted:b"]


def test_swapped_frames_come_out_of_order(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.swap_frames()
    say(mattermost, "a", "b", "c")
    assert texts(client) == ["3:posted:b", "2:posted:a", "4:posted:c"]


@pytest.mark.parametrize("text", ["not json", "{}", "[]", '{"event":5}', "\udcff", ""])
def test_a_malformed_frame_comes_instead(
    mattermost: Mattermost, client: Client, text: str
) -> None:
    mattermost.faults.malform_frame(text)
    say(mattermost, "a", "b")
    assert client.socket.recv_frame().data == text.encode("utf-8", "surrogatepass")
    assert short(client.receive()) == "3:posted:b"


def test_frames_of_others_are_left_alone(
    mattermost: Mattermost, client: Client
) -> None:
    mattermost.faults.drop_frames(user_id=mattermost.town.alice)
    say(mattermost, "a")
    assert texts(client) == ["2:posted:a"]


# What the world does.


def test_a_late_commit_appears_among_older_posts(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    town, scene = mattermost.town, mattermost.scene
    at = mattermost.clock.now_ms()
    early = scene.post(town.channel, town.alice, "early", create_at=at + 10)
    newest = scene.post(town.channel, town.alice, "newest", create_at=at + 30)
    late = scene.post(town.channel, town.alice, "late", create_at=at + 20)
    page = bot.get(f"/channels/{town.channel}/posts")
    assert page["order"][:3] == [newest, late, early]
    assert [short(f)[2:] for f in client.upto_reply()][-1] == "posted:late"
    assert scene.channel(town.channel)["last_post_at"] == at + 30


def test_a_hard_deletion_leaves_no_row_and_no_event(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    town, scene = mattermost.town, mattermost.scene
    gone, _ = say(mattermost, "gone", "stays")
    client.upto_reply()
    scene.erase(gone)
    assert client.upto_reply() == []
    since = bot.get(f"/channels/{town.channel}/posts?since=1")
    assert gone not in since["posts"]
    after = bot.get(f"/channels/{town.channel}/posts?after={gone}")
    assert after["order"] == []


def test_a_wrong_clock_dates_the_posts(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.clock.shift(3_600_000)
    made = ask(bot, mattermost).json()
    assert made["create_at"] - time.time() * 1000 > 3_500_000
    told = parsedate_to_datetime(bot("GET", "/system/ping").headers["Date"])
    assert told.timestamp() - time.time() > 3_500


def test_posts_can_share_a_millisecond(mattermost: Mattermost, bot: Rest) -> None:
    at = mattermost.clock.freeze()
    say(mattermost, "a", "b")
    mattermost.clock.thaw()
    page = bot.get(f"/channels/{mattermost.town.channel}/posts?per_page=2")
    assert [page["posts"][id]["create_at"] for id in page["order"]] == [at, at]


def test_a_restart_keeps_posts_and_forgets_connections(
    mattermost: Mattermost, bot: Rest, client: Client
) -> None:
    say(mattermost, "kept")
    port = mattermost.port
    mattermost.restart()
    assert mattermost.port == port
    assert client.is_closed()
    page = bot.get(f"/channels/{mattermost.town.channel}/posts?per_page=1")
    assert json.dumps(page).count('"kept"') == 1


def test_a_malformed_post_stands_in_every_answer(
    mattermost: Mattermost, bot: Rest
) -> None:
    good, bad = say(mattermost, "good", "bad")
    mattermost.faults.malform_post(bad, '{"id": 7, "message": "\ud800"}')
    pages = f"/channels/{mattermost.town.channel}/posts"
    for path in (pages, f"{pages}?since=1", f"/posts/{bad}/thread", f"/posts/{bad}"):
        told = bot("GET", path).content
        assert b'{"id": 7, "message": "\xed\xa0\x80"}' in told
    mattermost.faults.heal()
    assert bot.get(f"/posts/{bad}")["message"] == "bad"
    assert {good, bad} <= bot.get(pages)["posts"].keys()


def test_bytes_are_uttered_as_they_are(mattermost: Mattermost, client: Client) -> None:
    faults, town = mattermost.faults, mattermost.town
    assert faults.utter("81027b7d", user_id=town.alice) == 0
    assert faults.utter("81027b7d", user_id=town.bot) == 1
    assert client.receive() == {}
