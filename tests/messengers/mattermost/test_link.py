from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import (
    Busy,
    Failure,
    Forbidden,
    Missing,
    Rejected,
    Unauthorised,
    Unclear,
    Unreachable,
)
from malexbot.messengers.mattermost.link import Link
from tests.consumers.service import dripping
from tests.messengers.mattermost.scripted import RESET, SILENCE, Scripted, answer

TOKEN = "t" * 26
GOOD = answer("200 OK", b'{"id": "me"}', Content_Type="application/json; charset=utf-8")


def client(server: Scripted, *, read_s: float = 5.0) -> Client:
    return Client(Link(url=server.url, token=TOKEN), patience_s=0, read_s=read_s)


def test_many_calls_take_one_connection() -> None:
    with Scripted(GOOD) as server:
        asking = client(server)
        for _ in range(5):
            assert asking.me() == {"id": "me"}
        asking.link.close()
        assert server.connections == 1


def test_a_get_has_no_body_and_says_who_asks() -> None:
    with Scripted(GOOD) as server:
        asking = client(server)
        asking.me()
        asking.link.close()
        head = server.heads()[0]
    assert head.startswith("GET /api/v4/users/me HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")
    assert f"Authorization: Bearer {TOKEN}" in head
    assert "User-Agent: malexbot/" in head
    assert "content-length" not in head.lower()


def test_a_netrc_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Scripted(GOOD) as server:
        asking = client(server)
        asking.me()
        asking.link.close()
        assert f"Bearer {TOKEN}" in server.heads()[0]


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        link = Link(url="http://chat.example.org/api/v4", token=TOKEN)
        assert Client(link, patience_s=0).me() == {"id": "me"}
        link.close()
        assert proxy.heads()[0].startswith(
            "GET http://chat.example.org/api/v4/users/me"
        )


@pytest.mark.parametrize(
    ("said", "of_get", "of_post"),
    [
        (RESET, Unreachable, Unclear),
        (SILENCE, Unreachable, Unclear),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", Unreachable, Unclear),
        (b"gibberish\r\n\r\n", Unreachable, Unclear),
        (answer("200 OK", b"<html>sign in</html>"), Busy, Unclear),
        (answer("201 Created", b"[]"), Busy, Busy),
        (answer("302 Found", b"", Location="https://x.example"), Rejected, Rejected),
        (answer("401 Unauthorized", b"<html>"), Unauthorised, Unauthorised),
        (answer("403 Forbidden", b'{"id": "a"}'), Forbidden, Forbidden),
        (answer("404 Not Found", b'{"id": "a"}'), Missing, Missing),
        (
            answer("404 Not Found", b'{"id": "api.context.404.app_error"}'),
            Rejected,
            Rejected,
        ),
        (answer("413 Too Large", b"<html>"), Rejected, Rejected),
        (answer("501 Not Implemented", b'{"id": "a"}'), Rejected, Rejected),
        (answer("429 Too Many", b"limit exceeded\n", Retry_After="x"), Busy, Busy),
        (answer("500 Oops", b'["odd"]'), Busy, Busy),
        (answer("520 Unknown", b"\xff\xfe"), Busy, Unclear),
    ],
)
def test_what_is_said_decides_what_a_repeat_means(
    said: bytes, of_get: type[Failure], of_post: type[Failure]
) -> None:
    with Scripted(said) as server:
        asking = client(server, read_s=0.2)
        with pytest.raises(Failure) as got:
            asking.me()
        assert type(got.value) is of_get
        with pytest.raises(Failure) as posted:
            asking.create_post("c", "hello")
        assert type(posted.value) is of_post
        assert TOKEN not in str(posted.value)
        asking.link.close()


@pytest.mark.parametrize(
    ("begins", "drips"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    ],
)
def test_an_answer_that_drips_holds_nobody(begins: bytes, drips: bytes) -> None:
    """Each byte comes in time, the answer as a whole never does."""
    with dripping(begins, drips) as url:
        link = Link(url=url, token=TOKEN)
        with pytest.raises(Unclear):
            Client(link, patience_s=0, read_s=0.2).create_post("c", "hello")
        link.close()


@contextmanager
def reading_slowly(said: bytes) -> Iterator[str]:
    """A server that takes a request by and by, and then says this; its address."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    server.bind(("127.0.0.1", 0))
    server.listen()

    def take() -> None:
        line, _ = server.accept()
        with line:
            request = line.makefile("rb")
            head = b"".join(iter(request.readline, b"\r\n")).lower()
            left = int(head.partition(b"content-length:")[2].split()[0])
            while left and (piece := request.read(min(left, 1 << 19))):
                left -= len(piece)
                threading.Event().wait(0.1)
            request.close()
            line.sendall(said)

    thread = threading.Thread(target=take)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    thread.join()
    server.close()


def test_a_file_is_sent_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece leaves in time, all of them take longer than any time-out."""
    monkeypatch.setattr("malexbot.messengers.line.CONNECT_S", 0.5)
    said = answer("201 Created", b'{"file_infos": [{"id": "f"}]}')
    with reading_slowly(said) as url:
        link = Link(url=url, token=TOKEN)
        asking = Client(link, patience_s=0, read_s=3)
        assert asking.upload("c", "big", bytes(24 << 20)) == "f"
        link.close()


def test_an_address_that_moved_is_told() -> None:
    moved = answer("301 Moved", b"", Location="https://chat.example.org/api/v4")
    with Scripted(moved) as server:
        asking = client(server)
        with pytest.raises(Rejected, match="https://chat.example.org"):
            asking.me()
        asking.link.close()


def test_half_a_surrogate_pair_does_not_hide_its_page() -> None:
    page = rb'{"order": ["a"], "posts": {"a": {"message": "\ud800"}}}'
    with Scripted(answer("200 OK", page)) as server:
        asking = client(server)
        assert asking.posts("c")["posts"]["a"]["message"] == "\ud800"
        asking.link.close()


@pytest.mark.parametrize("levels", [300, 1_000, 10_000])
def test_a_deep_post_does_not_hide_its_page(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    page = b'{"order": ["a"], "posts": {"a": {"props": %s, "message": "x"}}}' % deep
    with Scripted(answer("200 OK", page)) as server:
        asking = client(server)
        assert asking.posts("c")["posts"]["a"]["message"] == "x"
        asking.link.close()


def test_a_number_beyond_all_reason_does_not_hide_its_page() -> None:
    page = rb'{"order": ["a"], "posts": {"a": {"s": "\ud800", "n": %s}}}'
    with Scripted(answer("200 OK", page % (b"9" * 5_000))) as server:
        asking = client(server)
        assert asking.posts("c")["posts"]["a"]["n"] == float("inf")
        asking.link.close()


def test_an_empty_answer_is_an_empty_object() -> None:
    with Scripted(answer("200 OK", b"")) as server:
        asking = client(server)
        assert asking.ping() == {}
        asking.link.close()


@pytest.mark.parametrize("page", [b'{"order": 1}', b'{"posts": []}', b"[]", b"null"])
def test_a_page_that_is_none_is_worth_another_try(page: bytes) -> None:
    with Scripted(answer("200 OK", page)) as server:
        asking = client(server)
        if page == b'{"posts": []}':
            assert asking.posts("c")["posts"] == {}
        else:
            with pytest.raises(Busy):
                asking.posts("c")
        asking.link.close()


def test_the_server_is_the_one_that_tells_the_time() -> None:
    said = answer("200 OK", b"{}", Date="Sat, 21 Nov 2026 02:01:27 GMT")
    with Scripted(said) as server:
        asking = client(server)
        # It is asked, since nothing was heard of it yet.
        assert abs(asking.server_now_ms() - 1795226487500) < 2000
        asking.link.close()


def test_an_error_without_a_date_tells_no_time() -> None:
    bad = answer("502 Bad Gateway", b"<html>")
    said = answer("200 OK", b"{}", Date="Sat, 21 Nov 2026 02:01:27 GMT")
    with Scripted(bad, said) as server:
        asking = client(server)
        with pytest.raises(Busy):
            asking.ping()
        assert abs(asking.server_now_ms() - 1795226487500) < 2000
        asking.link.close()


def test_a_refusal_tells_the_time_as_well() -> None:
    date = "Sat, 21 Nov 2026 02:01:27 GMT"
    with Scripted(answer("403 Forbidden", b'{"id": "no"}', Date=date)) as server:
        asking = client(server)
        assert abs(asking.server_now_ms() - 1795226487500) < 2000
        asking.link.close()


def test_while_nobody_tells_the_time_ours_does_not_count(unused_port: int) -> None:
    link = Link(url=f"http://127.0.0.1:{unused_port}/api/v4", token="t")
    with pytest.raises(Unreachable):
        Client(link, patience_s=0).server_now_ms()
    link.close()
