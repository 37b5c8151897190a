"""The tunnel forwards what comes, and each of its orders does what it says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.crash.tunnel import Tunnel

PATIENCE_S = 10.0
GAP_S = 0.2


class Echo:
    """A server that says again what it hears, to everybody who comes."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.lines: list[socket.socket] = []
        self.ended = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def dial(self) -> socket.socket:
        return socket.create_connection(self.door.getsockname())

    def close(self) -> None:
        self.door.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self.door.close()

    def _run(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._say, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _say(self, line: socket.socket) -> None:
        with line:
            while heard := line.recv(1 << 16):
                line.sendall(heard)
        self.ended.release()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def tunnel(echo: Echo) -> Iterator[Tunnel]:
    with Tunnel(echo.dial) as made:
        yield made


def _reach(tunnel: Tunnel) -> socket.socket:
    return socket.create_connection(("127.0.0.1", tunnel.port), PATIENCE_S)


def _says(line: socket.socket, word: bytes) -> bytes:
    line.sendall(word)
    return line.recv(100)


def test_what_is_small_passes_at_once(tunnel: Tunnel) -> None:
    with _reach(tunnel) as line:
        assert _says(line, b"a") == b"a"
        assert _says(line, b"b") == b"b"


def test_a_cut_ends_both_sides(tunnel: Tunnel, echo: Echo) -> None:
    with _reach(tunnel) as line:
        assert _says(line, b"a") == b"a"
        tunnel.cut()
        assert line.recv(1) == b""
        assert echo.ended.acquire(timeout=PATIENCE_S)


def test_refused_nobody_comes_in_and_the_old_lines_stay(tunnel: Tunnel) -> None:
    with _reach(tunnel) as line:
        assert _says(line, b"a") == b"a"
        port = tunnel.port
        tunnel.refuse()
        with pytest.raises(ConnectionRefusedError):
            _reach(tunnel)
        assert _says(line, b"b") == b"b"
        tunnel.heal()
        with _reach(tunnel) as another:
            assert _says(another, b"c") == b"c"
        assert tunnel.port == port


def test_held_nothing_passes_and_the_server_never_learns_it(
    tunnel: Tunnel, echo: Echo
) -> None:
    with _reach(tunnel) as line:
        assert _says(line, b"a") == b"a"
        tunnel.hold()
        line.settimeout(GAP_S)
        with pytest.raises(TimeoutError):
            _says(line, b"b")
        line.settimeout(PATIENCE_S)
        tunnel.heal()
        assert line.recv(1) == b""
        assert not echo.ended.acquire(timeout=GAP_S)


def test_slow_each_piece_waits(tunnel: Tunnel) -> None:
    with _reach(tunnel) as line:
        assert _says(line, b"a") == b"a"
        tunnel.slow(GAP_S)
        began = time.monotonic()
        assert _says(line, b"b") == b"b"
        assert time.monotonic() - began >= 2 * GAP_S


def test_where_no_server_is_the_line_ends() -> None:
    def nobody() -> socket.socket:
        raise ConnectionRefusedError

    with Tunnel(nobody) as tunnel, _reach(tunnel) as line:
        assert line.recv(1) == b""
