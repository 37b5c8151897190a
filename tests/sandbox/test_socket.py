"""What is said over a websocket, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import build
from tests.sandbox.clients import Client, Rest, message, short, wait_until
from tests.sandbox.recorded import FOLDER, Comparison, load
from tests.sandbox.story import ALICE, BOT, ONE

FRAMES = load("frames.jsonl")
# The recorded seconds go by as hundredths.
SCALE = 100


def frame(number: str) -> Any:
    name = next(name for name in FRAMES if name.startswith(number))
    return FRAMES[name]["frame"]


@pytest.fixture
def same(mattermost: Mattermost) -> Comparison:
    """The recorded ids in this town."""
    same = Comparison()
    town = mattermost.town
    same.bind(BOT, town.bot)
    same.bind(ALICE, town.alice)
    same.bind(ONE, town.channel)
    same.tokens = {"bot": town.token}
    return same


def exchange(client: Client, same: Comparison, sent: str, got: str) -> None:
    """Send a recorded frame; the next one that comes is as recorded."""
    client.send(**same.ours(frame(sent)))
    assert same.differences(frame(got), client.receive()) == []


# Coming in.


def test_a_header_logs_in_and_hello_comes_first(
    mattermost: Mattermost, same: Comparison
) -> None:
    with Client(mattermost.url, mattermost.town.token) as client:
        for number in ("001", "002"):
            assert same.differences(frame(number), client.receive()) == []


def test_a_message_logs_in_and_hello_comes_before_the_answer(
    mattermost: Mattermost, same: Comparison
) -> None:
    with Client(mattermost.url) as client:
        client.send(**same.ours(frame("007")))
        for number in ("008", "009", "010"):
            assert same.differences(frame(number), client.receive()) == []
        client.send(**same.ours(frame("011")))
        exchange(client, same, "003", "005")


@pytest.mark.parametrize("data", [{"token": "wrong"}, {}, None, {"token": 5}])
def test_a_wrong_login_by_message_is_hung_up_on(
    mattermost: Mattermost, data: object
) -> None:
    with Client(mattermost.url) as client:
        client.send(seq=1, action="authentication_challenge", data=data)
        assert client.is_closed()


def test_before_the_login_nothing_is_answered(mattermost: Mattermost) -> None:
    with Client(mattermost.url) as client:
        client.send(seq=1, action="ping")
        token = {"token": mattermost.town.token}
        client.send(seq=2, action="authentication_challenge", data=token)
        assert client.receive()["event"] == "hello"


def test_a_foreign_origin_is_refused(mattermost: Mattermost) -> None:
    address = mattermost.url.replace("http", "ws") + "/api/v4/websocket"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(address, origin="http://elsewhere.example")
    own = websocket.create_connection(address, origin=mattermost.url)
    own.shutdown()


# Actions.


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ("012", "013"),
        ("014", "015"),
        ("016", "017"),
        ("018", "019"),
        ("020", "021"),
        ("022", "023"),
        ("024", "025"),
        ("026", "027"),
    ],
)
def test_an_action_is_answered_as_recorded(
    client: Client, same: Comparison, sent: str, got: str
) -> None:
    exchange(client, same, sent, got)


@pytest.mark.parametrize("text", ["this is not json", "[1]", '"a"', '{"seq":"a"}'])
def test_what_is_no_request_ends_the_socket(client: Client, text: str) -> None:
    client.socket.send(text)
    assert client.is_closed()


def test_a_message_over_8192_bytes_ends_it_with_1009(client: Client) -> None:
    client.socket.send("x" * 8193)
    answer = client.socket.recv_frame()
    assert (answer.opcode, answer.data) == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xf1")


def test_a_polite_close_is_echoed(client: Client) -> None:
    client.socket.send_close()
    answer = client.socket.recv_frame()
    assert answer.data == bytes.fromhex(frame("006")["payload_hex"])


# Silent sockets.


def test_a_revoked_token_still_hears_but_is_refused(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    mattermost.scene.revoke_token(town.token)
    mattermost.scene.post(town.channel, town.alice, "after revoke")
    assert message(client.receive()) == "after revoke"
    client.send(seq=9, action="ping")
    answer = client.receive()
    assert answer["status"] == "FAIL"
    assert answer["error"]["id"] == "api.context.invalid_token.error"
    with Rest(mattermost.url, town.token) as rest:
        assert rest("GET", "/users/me").status_code == 401


def test_a_disabled_bot_hears_nothing_also_when_it_is_enabled_again(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    mattermost.scene.disable(town.bot)
    assert short(client.receive()) == "2:status_change:offline"
    mattermost.scene.enable(town.bot)
    mattermost.scene.post(town.channel, town.alice, "unheard")
    client.send(seq=1, action="ping")
    answer = client.receive()
    assert answer["error"]["status_code"] == 401
    with Client(mattermost.url, town.token) as fresh:
        assert fresh.receive()["event"] == "hello"


# Who hears what.


def test_a_bot_hears_only_its_channels(mattermost: Mattermost, client: Client) -> None:
    town, scene = mattermost.town, mattermost.scene
    far = scene.add_channel(town.team, "far", town.admin)
    scene.post(far, town.admin, "unheard")
    scene.join(far, town.bot, by=town.admin)
    scene.post(far, town.admin, "heard")
    scene.leave(far, town.bot, by=town.admin)
    scene.post(far, town.admin, "unheard again")
    names = [short(f) for f in client.upto_reply()]
    assert names == [
        "2:user_added:",
        "3:posted:malexbot added to the channel by admin.",
        "4:posted:heard",
        "5:user_removed:",
    ]


def test_a_cut_does_not_wait_for_a_client_who_reads_nothing(
    mattermost: Mattermost,
) -> None:
    mattermost.settings.send_queue = 100_000
    town = mattermost.town
    with Client(mattermost.url, town.token) as slow:
        slow.receive()
        for _ in range(2000):
            mattermost.scene.post(town.channel, town.alice, "x" * 10000)
        mattermost.faults.cut()
        wait_until(lambda: mattermost.sockets() == 0, "the cut")


def test_a_reader_who_is_too_slow_is_forgotten(mattermost: Mattermost) -> None:
    """With its send queue full a connection ends, and cannot be resumed."""
    mattermost.settings.send_queue = 8
    town = mattermost.town
    with Client(mattermost.url, town.token) as slow:
        slow.connection_id = slow.receive()["data"]["connection_id"]
        wait_until(lambda: _flood_ends(mattermost), "the queue is full")
        query = f"?connection_id={slow.connection_id}&sequence_number=5"
        with Client(mattermost.url, town.token, query) as fresh:
            assert fresh.receive()["event"] == "hello"


def _flood_ends(mattermost: Mattermost) -> bool:
    town = mattermost.town
    for _ in range(50):
        mattermost.scene.post(town.channel, town.alice, "x" * 10000)
    return mattermost.sockets() == 0


def test_a_status_that_stays_the_same_is_not_told(
    mattermost: Mattermost, client: Client
) -> None:
    for status in ("online", "away", "away", "online"):
        mattermost.scene.set_status(mattermost.town.bot, status)
    told = [short(frame) for frame in client.upto_reply()]
    assert told == ["2:status_change:away", "3:status_change:online"]


# Time. The recorded seconds are in timing.json.


@pytest.fixture
def quick() -> Iterator[tuple[Sandbox, str]]:
    """A sandbox a hundred times as fast, and the token of its bot."""
    settings = Settings(
        ping_every_s=60 / SCALE, pong_wait_s=100 / SCALE, auth_wait_s=5 / SCALE
    )
    with Sandbox(settings=settings) as sandbox:
        yield sandbox, build(sandbox.scene).token


def opcodes(client: Client, count: int) -> list[int]:
    """The control frames that come, without ever answering one."""
    found: list[int] = []
    while len(found) < count:
        opcode = client.socket.recv_frame().opcode
        if opcode != client.TEXT:
            found.append(opcode)
    return found


def test_without_a_pong_the_line_ends_after_one_ping(
    quick: tuple[Sandbox, str],
) -> None:
    sandbox, token = quick
    with Client(sandbox.url, token) as client:
        assert opcodes(client, 1) == [client.PING]
        with pytest.raises(websocket.WebSocketConnectionClosedException):
            opcodes(client, 1)


def test_pings_of_the_client_are_answered_but_keep_nothing_alive(
    quick: tuple[Sandbox, str],
) -> None:
    sandbox, token = quick
    with Client(sandbox.url, token) as client:
        client.socket.ping("hi")
        assert opcodes(client, 1) == [client.PONG]
        client.send(seq=1, action="ping")
        assert opcodes(client, 1) == [client.PING]
        with pytest.raises(websocket.WebSocketConnectionClosedException):
            opcodes(client, 1)


def test_unasked_pongs_keep_it_alive() -> None:
    settings = Settings(ping_every_s=0.2, pong_wait_s=1.5)
    with Sandbox(settings=settings) as sandbox:
        with Client(sandbox.url, build(sandbox.scene).token) as client:
            for _ in range(9):
                assert opcodes(client, 1) == [client.PING]
                client.socket.pong("")
            assert sandbox.sockets() == 1


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_login_it_ends_after_the_auth_tick(token: str) -> None:
    with Sandbox(settings=Settings(auth_wait_s=5 / SCALE)) as sandbox:
        with Client(sandbox.url, token) as client:
            assert client.is_closed()


def test_the_recorded_times_are_the_defaults() -> None:
    timing = (FOLDER / "timing.json").read_text()
    settings = Settings()
    assert '"closed_s": 100' in timing and settings.pong_wait_s == 100
    assert '"closed_s": 5' in timing and settings.auth_wait_s == 5
    assert settings.ping_every_s == 60
    assert settings.reaper_every_s == settings.stale_after_s == 300
