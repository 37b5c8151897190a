from __future__ import annotations

import logging
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import pytest

from malexbot.errors import Transient
from malexbot.messengers.mattermost import dialogue
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.dialogue import Broken, Cut, NoHello, Resume
from malexbot.messengers.mattermost.failures import (
    Busy,
    Rejected,
    Unauthorised,
    Unreachable,
)
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.socket import Dial, Frame, Websocket
from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.socket import accept_key, text_frame
from tests.messengers.mattermost.detour import Detour
from tests.messengers.mattermost.scripted import RESET, SILENCE, Scripted, answer

SOCKET = "/api/v4/websocket"
TOKEN = "t" * 26
LIMIT_S = 10.0


@pytest.fixture
def dial(mattermost: Mattermost) -> Dial:
    return to(mattermost.port, mattermost.town.token)


def to(port: int, token: str = TOKEN) -> Dial:
    return Dial(url=f"ws://127.0.0.1:{port}{SOCKET}", token=token)


def take(line: Websocket, count: int) -> list[Frame]:
    """The next frames."""
    until, frames = time.monotonic() + LIMIT_S, []
    for frame in line.frames():
        if frame is not None:
            frames.append(frame)
        if len(frames) == count:
            break
        assert time.monotonic() < until, frames
    return frames


def greet(line: Websocket) -> Websocket:
    until = time.monotonic() + LIMIT_S
    for _ in line.frames():
        if line.dialogue.is_greeted:
            break
        assert time.monotonic() < until
    return line


def names(frames: list[Frame]) -> list[str]:
    return [frame.body["event"] for frame in frames]


def test_frames_come_as_they_are_told(mattermost: Mattermost, dial: Dial) -> None:
    line = greet(dial.open())
    town = mattermost.town
    mattermost.scene.post(town.channel, town.alice, "héllo \U0001f600")
    while (frame := take(line, 1)[0]).body["event"] != "posted":
        pass
    assert "héllo \U0001f600".encode() in frame.raw
    line.close()


def test_a_cut_line_is_resumed_where_it_ended(
    mattermost: Mattermost, dial: Dial
) -> None:
    town = mattermost.town
    line = greet(dial.open())
    mattermost.faults.cut(user_id=town.bot)
    with pytest.raises(Cut):
        take(line, 99)
    resume = line.resume()
    line.close()
    assert resume is not None
    missed = mattermost.scene.post(town.channel, town.alice, "missed")
    line = dial.open(resume=resume)
    frames = take(line, 3)
    assert line.dialogue.is_resumed
    assert "hello" not in names(frames)
    assert any(missed.encode() in frame.raw for frame in frames)
    line.close()


def test_a_quiet_resume_is_proven_by_a_pong(mattermost: Mattermost, dial: Dial) -> None:
    line = greet(dial.open())
    line.abort()
    with pytest.raises(Cut):
        take(line, 99)
    resume = line.resume()
    line.close()
    wait_until_closed(mattermost)
    line = greet(dial.open(resume=resume))
    assert line.dialogue.is_resumed
    line.close()


def wait_until_closed(mattermost: Mattermost) -> None:
    until = time.monotonic() + 5
    while mattermost.sockets() and time.monotonic() < until:
        threading.Event().wait(0.01)


def test_an_unknown_connection_is_greeted_anew(dial: Dial) -> None:
    line = greet(dial.open(resume=Resume("a" * 26, 5)))
    assert not line.dialogue.is_resumed
    line.close()


def test_the_token_may_go_as_a_message(mattermost: Mattermost) -> None:
    with Detour(mattermost.port, without=b"authorization") as detour:
        dial = to(detour.port, mattermost.town.token)
        line = greet(dial.open(by_message=True))
        assert line.dialogue.is_greeted
        line.close()


def test_without_a_token_nobody_greets(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    mattermost.settings.auth_wait_s = 0.3
    monkeypatch.setattr(dialogue, "NO_TOKEN_S", 0.2)
    line = to(mattermost.port, "wrong").open()
    with pytest.raises(NoHello) as error:
        take(line, 1)
    assert error.value.was_waited_for
    line.close()


def test_a_server_that_never_greets_is_left(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "HELLO_S", 0.2)
    line = to(mattermost.port, "wrong").open()
    with pytest.raises(NoHello) as error:
        take(line, 1)
    assert error.value.was_waited_for
    line.close()


def test_a_half_open_line_is_noticed(
    mattermost: Mattermost, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = greet(dial.open())
    take_until_quiet(line)
    monkeypatch.setattr(dialogue, "PONG_S", 0.2)
    mattermost.faults.half_open()
    line.dialogue.ping_at = 0.0
    with pytest.raises(Broken, match="no answer to a ping"):
        take(line, 99)
    line.close()


def take_until_quiet(line: Websocket) -> None:
    """Until a ping was answered and nothing more comes."""
    until = time.monotonic() + LIMIT_S
    for frame in line.frames():
        if frame is None and line.dialogue.pong is not None:
            return
        assert time.monotonic() < until


def test_a_revoked_token_is_noticed_by_the_ping(
    mattermost: Mattermost, dial: Dial
) -> None:
    line = greet(dial.open())
    take_until_quiet(line)
    mattermost.scene.revoke_token(mattermost.town.token)
    line.dialogue.ping_at = 0.0
    with pytest.raises(Unauthorised) as refused:
        take(line, 99)
    assert mattermost.town.token not in str(refused.value)
    line.close()


def test_a_missing_frame_breaks_it(mattermost: Mattermost, dial: Dial) -> None:
    line = greet(dial.open())
    take_until_quiet(line)
    mattermost.faults.drop_frames(1)
    town = mattermost.town
    mattermost.scene.post_many(town.channel, town.alice, ["one", "two"])
    with pytest.raises(Broken, match="is missing"):
        take(line, 99)
    line.close()


def test_an_abort_wakes_the_reader(dial: Dial) -> None:
    line = greet(dial.open())
    take_until_quiet(line)
    threading.Timer(0.05, line.abort).start()
    with pytest.raises(Cut):
        take(line, 99)
    line.close()
    line.abort()
    line.close()


def shout(server: socket.socket, pieces: Iterable[bytes]) -> None:
    """Be a server that greets and then sends these pieces."""
    line, _ = server.accept()
    with line:
        request = b""
        while b"\r\n\r\n" not in request:
            request += line.recv(65536)
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
        assert key is not None
        line.sendall(
            b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key[1].decode()).encode()
        )
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            line.sendall(piece)
        while line.recv(65536):
            pass


@pytest.mark.parametrize("size", [1, 7, 1_000, 16_384, 1_000_000])
def test_frames_are_whole_however_they_are_cut(size: int) -> None:
    texts = ["", "x", "x" * 200, "x" * 70_000, "x" * 125, "x" * 40_000]
    if size == 1:
        texts = [text[:300] for text in texts]
    bodies = [{"event": "hello", "data": {"connection_id": "a" * 26}, "seq": 0}]
    for number, text in enumerate(texts * 3, 1):
        bodies.append({"event": "x", "data": {"text": text}, "seq": number})
    told = b"\r\n\r\n" + b"".join(text_frame(orjson.dumps(body)) for body in bodies)
    pieces = [told[at : at + size] for at in range(0, len(told), size)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shout, args=[server, pieces])
        thread.start()
        line = to(server.getsockname()[1]).open()
        assert [frame.body for frame in take(line, len(bodies))] == bodies
        line.close()
        thread.join()


def test_a_turn_that_ends_within_a_frame_leaves_it_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left of the frame looks like a frame of its own: 0x81, 32, a text."""
    monkeypatch.setattr("malexbot.messengers.mattermost.socket.TURN_S", 0.02)
    hello = {"event": "hello", "data": {"connection_id": "a" * 26}, "seq": 0}
    odd = {"event": "x", "data": {"text": "\x81 " + "y" * 60}, "seq": 1}
    plain = {"event": "x", "data": {}, "seq": 2}
    head, tail = text_frame(orjson.dumps(odd)).split(b"\x81 y")
    goes_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"\r\n\r\n" + text_frame(orjson.dumps(hello)) + head
        goes_on.wait(LIMIT_S)
        yield b"\x81 y" + tail + text_frame(orjson.dumps(plain))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shout, args=[server, pieces()])
        thread.start()
        line = to(server.getsockname()[1]).open()
        frames = line.frames()
        assert next(frame for frame in frames if frame).body == hello
        assert next(frames) is None
        goes_on.set()
        assert [frame.body for frame in take(line, 2)] == [odd, plain]
        line.close()
        thread.join()


def test_a_frame_without_an_end_does_not_hold_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bytes keep coming, so no read ever times out."""
    monkeypatch.setattr("malexbot.messengers.mattermost.socket.TURN_S", 0.1)
    ends = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"\r\n\r\n\x81\x7f" + (1 << 40).to_bytes(8, "big")
        while not ends.wait(0.01):
            yield b"x"

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shout, args=[server, pieces()])
        thread.start()
        line = to(server.getsockname()[1]).open()
        timer = threading.Timer(LIMIT_S, line.abort)
        timer.start()
        frames = line.frames()
        assert [next(frames), next(frames)] == [None, None]
        timer.cancel()
        timer.join()
        ends.set()
        line.close()
        thread.join()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer("401 Unauthorized", b"<html>"), Unauthorised),
        (answer("403 Forbidden", b"<html>"), Unauthorised),
        (answer("429 Too Many", b"limit exceeded\n", Retry_After="7"), Busy),
        (answer("502 Bad Gateway", b"<html>"), Busy),
        (answer("200 OK", b"<html>"), Rejected),
        (RESET, Unreachable),
        (b"gibberish\r\n\r\n", Unreachable),
        (b"HTTP/1.1\r\n\r\n", Unreachable),
        (b"HTTP/1.1 xyz abc\r\n\r\n", Unreachable),
        (b"HTTP/1.1 101 Switching\r\nx\r\n\r\n", Unreachable),
        (b"\xff\xfe\r\n\r\n", Unreachable),
    ],
)
def test_a_handshake_that_fails_is_told(said: bytes, kind: type[Exception]) -> None:
    with Scripted(said) as server, pytest.raises(kind) as error:
        to(server.port).open()
    assert TOKEN not in str(error.value)
    if isinstance(error.value, Busy) and error.value.status == 429:
        assert error.value.retry_after_s == 7


def test_the_token_goes_nowhere_else() -> None:
    with Scripted(answer("200 OK", b"{}")) as other:
        moved = answer("302 Found", b"", Location=f"ws://127.0.0.1:{other.port}/x")
        with Scripted(moved) as server, pytest.raises(Unreachable):
            to(server.port).open()
        assert other.connections == 0


def test_a_server_that_says_nothing_ends_the_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("malexbot.messengers.mattermost.socket.CONNECT_S", 0.2)
    with Scripted(SILENCE) as server, pytest.raises(Unreachable):
        to(server.port).open()


def test_no_server_no_address(unused_port: int) -> None:
    with pytest.raises(Unreachable, match="[Rr]efused"):
        to(unused_port).open()
    with pytest.raises(Unreachable):
        Dial(url="ws://[bad", token=TOKEN).open()


def test_the_handshake_names_us_and_no_origin() -> None:
    with Scripted(answer("502 Bad Gateway")) as server:
        with pytest.raises(Busy):
            to(server.port).open(resume=Resume("a" * 26, 5))
        head = server.heads()[0]
    assert f"?connection_id={'a' * 26}&sequence_number=5 " in head
    assert f"Authorization: Bearer {TOKEN}" in head
    assert "User-Agent: malexbot/" in head
    assert "origin" not in head.lower()


def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(answer("502 Bad Gateway")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:secret@127.0.0.1:{proxy.port}")
        dial = Dial(url=f"ws://chat.example.org{SOCKET}", token=TOKEN)
        with pytest.raises(Transient) as error:
            dial.open()
        assert "CONNECT chat.example.org:80" in proxy.heads()[0]
        assert "secret" not in f"{dial!r} {error.value}"


def test_the_token_shows_nowhere(
    mattermost: Mattermost, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line = greet(dial.open(by_message=True))
    line.close()
    assert mattermost.town.token not in f"{dial!r} {line!r} {caplog.text}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One of our own, for 127.0.0.1, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    pem = folder / "server.pem"
    key = folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", str(key), "-out", str(pem), "-days", "30"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    pem.write_bytes(pem.read_bytes() + key.read_bytes())
    yield pem


def test_a_certificate_of_the_operator_is_trusted_where_it_is_told(
    mattermost: Mattermost, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    token = mattermost.town.token
    with Detour(mattermost.port, tls=context) as detour:
        socket_url = f"wss://127.0.0.1:{detour.port}{SOCKET}"
        link = Link(url=f"https://127.0.0.1:{detour.port}/api/v4", token=token)
        with pytest.raises(Unreachable, match="(?i)certificate"):
            Dial(url=socket_url, token=token).open()
        with pytest.raises(Unreachable, match="(?i)certificate"):
            Client(link, patience_s=0).me()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        greet(Dial(url=socket_url, token=token).open()).close()
        trusting = Link(url=link.url, token=token)
        assert Client(trusting, patience_s=0).me()["id"] == mattermost.town.bot
        trusting.close()
        link.close()
