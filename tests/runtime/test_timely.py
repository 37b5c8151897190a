"""Answers in time, whatever way they come."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import requests
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection

from malexbot.runtime.timely import TimelyAdapter
from tests.consumers.service import dripping


def test_a_handshake_has_the_time_for_connecting() -> None:
    adapter = TimelyAdapter(connect_s=0.2)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(requests.RequestException):
            adapter.send(requests.Request("GET", url).prepare(), timeout=(0.2, 60))
    assert time.monotonic() - began < 30
    adapter.close()


class SocksConnection(HTTPConnection):
    """Made as that of urllib3.contrib.socks is, which needs a package."""

    def __init__(self, _socks_options: dict[str, Any], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)


class SocksPool(HTTPConnectionPool):
    ConnectionCls = SocksConnection


class SocksManager(PoolManager):
    def __init__(self, url: str, **more: Any) -> None:
        del more["username"], more["password"]
        super().__init__(_socks_options={"proxy_host": url}, **more)
        self.pool_classes_by_scheme = {"http": SocksPool}


def test_by_way_of_a_socks_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", SocksManager)
    adapter = TimelyAdapter()
    way = {"http": "socks5h://proxy.example.org"}
    for _ in range(2):
        with (
            dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n") as url,
            pytest.raises(requests.ReadTimeout),
        ):
            adapter.send(
                requests.Request("GET", url).prepare(), timeout=0.2, proxies=way
            )
    adapter.close()
