"""A Redis for the modules of this folder, emptied for each test, and a service."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1 itself, with its key."""
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(file), "-out", f"{file}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_text(Path(f"{file}.crt").read_text() + file.read_text())
    return file
