"""A Redis for the modules of this folder, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
