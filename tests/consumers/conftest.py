"""A Redis for the modules of this folder, emptied for each test, and a service."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.consumers.service import Service
from tests.support.redis import RedisServer


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(process: RedisServer) -> RedisServer:
    with process.client() as client:
        client.config_set("maxmemory", 0)
        client.flushall()
        client.script_flush()
    return process


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.serve_forever, args=[0.01])
    thread.start()
    yield service
    service.goes_on.set()
    service.shutdown()
    thread.join()
    service.hang_up()
    service.server_close()
