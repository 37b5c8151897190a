"""The sample server block, in Debian's real Nginx before the real server."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from malexbot.ports.calls import Answered, Call
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.web.callbacks import mount_callbacks
from malexbot.web.health import mount_health
from malexbot.web.reach import mount_reach
from malexbot.web.server import WebServer
from malexbot.web.status import mount_status
from tests.support.packages import need, unpack
from tests.support.settings import free_port
from tests.support.threads import eventually
from tests.web.caller import Caller, Reply, request
from tests.web.test_server import serving

SAMPLE = Path(__file__).parents[2] / "etc" / "nginx" / "malexbot.conf"
NAME = "malexbot.example.org"
# What Debian's nginx.conf has around it, below a folder of ours.
AROUND = """
daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include {sample};
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program."""
    if found := shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        return found
    folder = unpack("nginx", tmp_path_factory.mktemp("nginx"))
    return str(folder / "usr" / "sbin" / "nginx")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    need("openssl")
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "fullchain.pem", folder / "privkey.pem"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", str(key), "-out", str(chain)),
        ),
        check=True,
        capture_output=True,
    )
    return chain, key


class Porter:
    """Every door."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Answered:
        self.calls.append(call)
        return Answered(body=call.body or b"{}")


@pytest.fixture
def porter() -> Porter:
    return Porter()


@pytest.fixture
def server(porter: Porter) -> Iterator[WebServer]:
    paths = ("/slash", "/actions", "/dialogs", "/hooks/outgoing", "/hooks")
    with serving(
        lambda application: mount_callbacks(application, dict.fromkeys(paths, porter)),
        lambda application: mount_health(application, Health()),
        lambda application: mount_status(application, Metrics(), Health()),
        mount_reach,
        trusted=["127.0.0.1"],
    ) as (server, _):
        yield server


class Front:
    """Nginx with the sample, before a port."""

    def __init__(self, address: tuple[str, int], certificate: Path) -> None:
        self.address = address
        self._context = ssl.create_default_context(cafile=str(certificate))

    def ask(self, text: bytes, *, source: str = "127.0.0.1") -> Reply:
        with Caller(self.address, source=source) as caller:
            caller.sock = self._context.wrap_socket(caller.sock, server_hostname=NAME)
            return caller.ask(text)


Start = Callable[[int], Front]


@pytest.fixture
def start(
    nginx: str, certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> Front:
        mine = free_port()
        config = write_config(tmp_path, certificate, malexbot=port, nginx=mine)
        command = (nginx, "-e", "stderr", "-p", str(tmp_path), "-c", str(config))
        tried = subprocess.run((*command, "-t"), capture_output=True, text=True)
        assert tried.returncode == 0, tried.stderr
        assert "[warn]" not in tried.stderr, tried.stderr
        with (tmp_path / "told").open("wb") as told:
            begun.append(subprocess.Popen(command, stderr=told))
        eventually(lambda: is_open(mine))
        return Front(("127.0.0.1", mine), certificate[0])

    yield start
    for process in begun:
        process.terminate()
        process.wait(20)


@pytest.fixture
def front(start: Start, server: WebServer) -> Front:
    assert server.address is not None
    return start(server.address[1])


def write_config(
    folder: Path, certificate: tuple[Path, Path], *, malexbot: int, nginx: int
) -> Path:
    """The sample as an operator changes it, and other ports."""
    text = SAMPLE.read_text()
    live = f"/etc/letsencrypt/live/{NAME}"
    for old, new in (
        ("server 127.0.0.1:8765;", f"server 127.0.0.1:{malexbot};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{nginx} ssl;"),
        ("    listen [::]:443 ssl;\n", ""),
        ("access_log /var/log/nginx/", "access_log "),
        (f"{live}/fullchain.pem", str(certificate[0])),
        (f"{live}/privkey.pem", str(certificate[1])),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    sample, config = folder / "malexbot.conf", folder / "nginx.conf"
    sample.write_text(text)
    config.write_text(AROUND.format(sample=sample))
    return config


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/slash", "application/x-www-form-urlencoded"),
        ("/actions", "application/json"),
        ("/dialogs", "application/json"),
        ("/hooks/outgoing", "application/json"),
        ("/hooks/github", "application/json"),
    ],
)
def test_it_hands_calls_on_and_tells_who_called(
    front: Front, porter: Porter, path: str, kind: str
) -> None:
    text = request(
        "POST",
        path,
        b"{}",
        content_type=kind,
        host=NAME,
        authorization="Token t",
        x_forwarded_for="203.0.113.7",
    )
    reply = front.ask(text, source="127.0.0.2")
    assert (reply.status, reply.body) == (200, "{}")
    (call,) = porter.calls
    assert (call.path, call.body, call.remote) == (path, b"{}", "127.0.0.2")
    assert call.headers["host"] == NAME
    assert call.headers["authorization"] == "Token t"
    assert not [name for name in call.headers if name.startswith("x-forwarded")]


def test_a_command_by_get_keeps_its_query(front: Front, porter: Porter) -> None:
    assert front.ask(request("GET", "/slash?text=a%20b", host=NAME)).status == 200
    assert porter.calls[0].query == "text=a%20b"


def test_what_proves_a_call_is_not_written_down(front: Front, tmp_path: Path) -> None:
    front.ask(request("GET", "/slash?token=s3cret&text=a", host=NAME))
    log = tmp_path / "access.log"
    eventually(lambda: '"GET /slash HTTP/1.1" 200' in log.read_text())
    assert "s3cret" not in log.read_text()


def test_a_body_in_chunks_gets_through(front: Front, porter: Porter) -> None:
    text = request(
        "POST",
        "/hooks/ci",
        b"5\r\nhello\r\n0\r\n\r\n",
        host=NAME,
        transfer_encoding="chunked",
    )
    assert front.ask(text).body == "hello"


def test_a_body_that_malexbot_takes_is_taken(front: Front, porter: Porter) -> None:
    body = b"x" * 1024 * 1024
    text = request("POST", "/hooks/ci", body, host=NAME, content_type="text/plain")
    assert front.ask(text).status == 200
    assert porter.calls[0].body == body


def test_a_body_that_is_too_large_ends_there(front: Front, porter: Porter) -> None:
    text = request("POST", "/hooks/ci", b"x" * (1024 * 1024 + 1), host=NAME)
    assert front.ask(text).status == 413
    assert porter.calls == []


@pytest.mark.parametrize("path", ["/metrics", "/status", "/readyz", "/", "/hooks/a/b"])
def test_what_is_nobodys_business_stays_inside(front: Front, path: str) -> None:
    reply = front.ask(request("GET", path, host=NAME))
    assert reply.status == 404 and "nginx" in reply.body


def test_the_doctor_gets_through(front: Front) -> None:
    assert front.ask(request("GET", "/healthz", host=NAME)).status == 200
    assert front.ask(request("POST", "/reach", b"{}", host=NAME)).status == 200


def test_lines_between_the_two_are_used_again(front: Front, server: WebServer) -> None:
    for _ in range(10):
        assert front.ask(request("GET", "/healthz", host=NAME)).status == 200
    assert server.connections == 1


def test_without_malexbot_it_says_so_at_once(start: Start) -> None:
    front = start(free_port())
    assert front.ask(request("GET", "/healthz", host=NAME)).status == 502
