"""Calls on their way to a door, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from malexbot.ports.calls import Answered, Call, Door
from malexbot.web.callbacks import mount_callbacks
from malexbot.web.server import WebServer
from tests.support.threads import eventually
from tests.web.caller import Caller, Reply, request
from tests.web.test_server import serving

FORM = {"content_type": "application/x-www-form-urlencoded"}
JSON = {"content_type": "application/json; charset=utf-8"}
LONG = b"x" * 4_000_000


class Porter:
    """Every door; keeps the calls, and answers as it is told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answered = Answered()

    def __call__(self, call: Call) -> Answered:
        self.calls.append(call)
        return self.answered

    @property
    def call(self) -> Call:
        (call,) = self.calls
        return call


@pytest.fixture
def porter() -> Porter:
    return Porter()


@pytest.fixture
def doors(porter: Porter) -> dict[str, Door]:
    paths = ("/slash", "/actions", "/dialogs", "/hooks/outgoing", "/hooks")
    return dict.fromkeys(paths, porter)


@pytest.fixture
def server(doors: dict[str, Door]) -> Iterator[WebServer]:
    with serving(lambda application: mount_callbacks(application, doors)) as (
        server,
        _,
    ):
        yield server


def ask(server: WebServer, text: bytes) -> Reply:
    with Caller(server.address) as caller:
        return caller.ask(text)


def test_a_door_is_told_all_of_the_call(server: WebServer, porter: Porter) -> None:
    text = request(
        "POST", "/slash?a=1&b=%20", b"text=hi&x=1", **FORM, authorization="Token t"
    )
    assert ask(server, text).status == 200
    call = porter.call
    assert call[:3] == ("POST", "/slash", "a=1&b=%20")
    assert (call.body, call.remote) == (b"text=hi&x=1", "127.0.0.1")
    assert call.headers["authorization"] == "Token t"
    assert call.headers["content-type"] == FORM["content_type"]


def test_its_answer_is_handed_on(server: WebServer, porter: Porter) -> None:
    porter.answered = Answered(503, b"later", "text/plain; charset=utf-8", 7)
    reply = ask(server, request("POST", "/actions", b"{}", **JSON))
    assert (reply.status, reply.body) == (503, "later")
    assert reply.headers["retry-after"] == "7"
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_answers_are_never_empty(server: WebServer) -> None:
    reply = ask(server, request("POST", "/dialogs", b"{}", **JSON))
    assert (reply.status, reply.body) == (200, "{}")
    assert reply.headers["content-type"] == "application/json"
    assert "retry-after" not in reply.headers


def test_a_command_may_come_by_get(server: WebServer, porter: Porter) -> None:
    assert ask(server, request("GET", "/slash?text=hi")).status == 200
    assert (porter.call.method, porter.call.query) == ("GET", "text=hi")


@pytest.mark.parametrize("name", ["github", "outgoing2", "a.b-c_d"])
def test_hooks_of_any_name_have_one_door(
    server: WebServer, doors: dict[str, Door], porter: Porter, name: str
) -> None:
    del doors["/hooks/outgoing"]
    text = request("POST", f"/hooks/{name}", b"<a/>", content_type="text/xml")
    assert ask(server, text).status == 200
    assert porter.call.path == f"/hooks/{name}"


def test_the_outgoing_webhooks_have_their_own(
    server: WebServer, doors: dict[str, Door], porter: Porter
) -> None:
    del doors["/hooks"]
    assert ask(server, request("POST", "/hooks/outgoing", b"a=b", **FORM)).status == 200
    assert porter.call.path == "/hooks/outgoing"


@pytest.mark.parametrize("path", ["/slash", "/actions", "/dialogs", "/hooks/github"])
def test_a_door_may_come_and_go(
    server: WebServer, doors: dict[str, Door], path: str
) -> None:
    kind = FORM if path == "/slash" else JSON
    kept = dict(doors)
    doors.clear()
    assert ask(server, request("POST", path, b"{}", **kind)).status == 404
    doors.update(kept)
    assert ask(server, request("POST", path, b"{}", **kind)).status == 200


def test_a_body_in_chunks_arrives_as_one(server: WebServer, porter: Porter) -> None:
    chunks = b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    text = request("POST", "/actions", chunks, **JSON, transfer_encoding="chunked")
    assert ask(server, text).status == 200
    assert porter.call.body == b"{}"


@pytest.mark.parametrize(
    "path", ["/actions", "/dialogs", "/hooks/x", "/hooks/outgoing"]
)
def test_get_calls_nobody_but_commands(
    server: WebServer, porter: Porter, path: str
) -> None:
    reply = ask(server, request("GET", path))
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert porter.calls == []


def test_to_ask_for_the_head_of_a_command_runs_nothing(
    server: WebServer, porter: Porter
) -> None:
    assert ask(server, request("HEAD", "/slash")).status == 405
    assert porter.calls == []


@pytest.mark.parametrize(
    "path, kind",
    [("/slash", JSON), ("/actions", FORM), ("/dialogs", FORM), ("/hooks/outgoing", {})],
)
def test_a_body_of_another_kind_reaches_no_door(
    server: WebServer, porter: Porter, path: str, kind: dict[str, str]
) -> None:
    assert ask(server, request("POST", path, b"{}", **kind)).status == 415
    assert porter.calls == []


def test_a_door_that_breaks_is_answered_for(
    server: WebServer,
    doors: dict[str, Door],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(call: Call) -> Answered:
        raise KeyError("secret")

    doors["/actions"] = broken
    reply = ask(server, request("POST", "/actions?token=s3cret", b"{}", **JSON))
    assert (reply.status, reply.body) == (500, "500 Internal Server Error\n")
    assert "KeyError" in caplog.text and "s3cret" not in caplog.text


def test_headers_with_an_underscore_are_not_taken_for_others(
    server: WebServer, porter: Porter
) -> None:
    text = request("POST", "/actions", b"{}", **JSON).replace(
        b"Host:", b"Auth_orization: x\r\nX_Forwarded_For: 1.2.3.4\r\nHost:"
    )
    assert ask(server, text).status == 200
    assert not [name for name in porter.call.headers if "orization" in name]


def test_a_door_learns_that_its_answer_was_written(
    server: WebServer, porter: Porter
) -> None:
    written: list[int] = []
    porter.answered = Answered(on_written=lambda: written.append(1))
    text = request("POST", "/actions", b"{}", **JSON)
    with Caller(server.address) as caller:
        for times in (1, 2):
            assert caller.ask(text).status == 200
            eventually(lambda: len(written) == times)  # noqa: B023
        porter.answered = Answered()
        assert caller.ask(text).status == 200
    assert len(written) == 2


def test_it_does_not_learn_so_while_nobody_takes_it(
    server: WebServer, porter: Porter
) -> None:
    written = threading.Event()
    porter.answered = Answered(body=LONG, on_written=written.set)
    with Caller(server.address, hears=4096) as caller:
        caller.say(request("POST", "/actions", b"{}", **JSON))
        eventually(lambda: porter.calls)
        assert not written.wait(0.3)
        assert len(caller.hear().body) == len(LONG)
        assert written.wait(20)


def test_nor_when_whoever_called_has_gone(server: WebServer, porter: Porter) -> None:
    written = threading.Event()
    porter.answered = Answered(body=LONG, on_written=written.set)
    with Caller(server.address, hears=4096) as caller:
        caller.say(request("POST", "/actions", b"{}", **JSON))
        eventually(lambda: porter.calls)
    eventually(lambda: server.connections == 0)
    assert not written.is_set()
