"""The line of a long poll: one request that waits, which a stop can cut at once."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from malexbot.messengers.vk.failures import Answer, Busy, Unreachable, cause
from malexbot.messengers.vk.link import CONNECT_S, surroundings
from malexbot.runtime.heart import outside

CALL = "long poll"
# Half a character: json reads it, nobody can write it.
_BROKEN = ("utf-16", "surrogatepass")


class Wire:
    """Used by one thread, cut by any."""

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._is_cut = False
        self._session = requests.Session()
        self._settings = (ca_file, proxy)
        self._way: dict[str, Any] | None = None
        adapter = _Adapter(self._watch)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def poll(self, url: str, params: dict[str, str], *, read_s: float) -> Any:
        """What the server answers, as JSON; raises Transient."""
        if self._way is None:
            self._way = surroundings(self._session, url, *self._settings)
        try:
            with outside("VK's long poll"):
                response = self._session.get(
                    url,
                    params=params,
                    timeout=(CONNECT_S, read_s),
                    allow_redirects=False,
                    **self._way,
                )
        except requests.RequestException as error:
            # The address of a poll has its key in it, which is not to be told.
            raise Unreachable(CALL, cause(error).partition("?")[0]) from None
        if response.status_code != 200:
            raise Busy(CALL, Answer(0, "is no answer of VK", response.status_code))
        return parsed(response.content)

    def cut(self) -> None:
        """End the request that waits, and any that comes after."""
        with self._lock:
            self._is_cut = True
            sock = self._sock
        if sock is not None:
            _shut(sock)

    def close(self) -> None:
        self._session.close()

    def _watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._sock = sock
            is_cut = self._is_cut
        if is_cut:
            _shut(sock)


class _Adapter(HTTPAdapter):
    """Tells of every socket that it opens, be it by way of a proxy."""

    def __init__(self, watch: Any) -> None:
        self._classes = _pools(watch)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = self._classes

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = self._classes
        return manager


def _pools(watch: Any) -> dict[str, Any]:
    class Http(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            watch(self.sock)

    class Https(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            watch(self.sock)

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}


def parsed(content: bytes) -> Any:
    """JSON; of half a character, as texts that were cut have it, none is left."""
    try:
        return orjson.loads(content)
    except ValueError:
        pass
    try:
        whole = json.dumps(json.loads(content), ensure_ascii=False)
        return orjson.loads(whole.encode(*_BROKEN).decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        raise Busy(CALL, "an answer that is no JSON") from None


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it ended by itself
        pass
