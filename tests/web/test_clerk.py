"""Clients of every temper, on real sockets."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask, Response
from flask import request as coming

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.web import clerk, line, reception
from malexbot.web import server as server_module
from malexbot.web.arrival import MOST_BODY
from malexbot.web.health import mount_health
from malexbot.web.server import CALL_THREADS, WebServer
from tests.support.settings import free_port
from tests.support.threads import eventually
from tests.web.caller import Caller, request
from tests.web.test_server import ask, serving

LONG = b"x" * 4_000_000


class Handler:
    """Echoes on /echo, tells much on /long, and holds /slow until it is let go."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun = threading.Semaphore(0)
        self.count = 0

    def mount(self, application: Flask) -> None:
        mount_health(application, Health())

        @application.post("/echo")
        def echo() -> Response:
            self.count += 1
            return Response(coming.get_data())

        @application.get("/long")
        def long() -> Response:
            return Response(LONG)

        @application.get("/slow")
        def slow() -> Response:
            self.begun.release()
            assert self.may_end.wait(20)
            return Response("at last")

        @application.get("/exit")
        def leave() -> Response:
            raise SystemExit(3)


@pytest.fixture
def handler() -> Iterator[Handler]:
    handler = Handler()
    yield handler
    handler.may_end.set()


@pytest.fixture
def server(handler: Handler) -> Iterator[WebServer]:
    with serving(handler.mount) as (server, _):
        yield server
        handler.may_end.set()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_limits(**limits: float) -> None:
        for name, value in limits.items():
            (module,) = [
                module
                for module in (clerk, line, reception, server_module)
                if hasattr(module, name) and name in vars(module)
            ]
            monkeypatch.setattr(module, name, value)

    return set_limits


def test_a_request_that_comes_byte_by_byte_is_answered(server: WebServer) -> None:
    with Caller(server.address) as caller:
        for byte in request("POST", "/echo", b"hello"):
            caller.say(bytes([byte]))
        assert caller.hear().body == "hello"


def test_a_line_is_kept_for_the_next_request(server: WebServer) -> None:
    with Caller(server.address) as caller:
        for text in ("one", "two"):
            reply = caller.ask(request("POST", "/echo", text.encode()))
            assert (reply.status, reply.body) == (200, text)
            assert "connection" not in reply.headers


def test_requests_said_in_one_breath_are_answered_in_turn(server: WebServer) -> None:
    with Caller(server.address) as caller:
        caller.say(
            request("POST", "/echo", b"one")
            + request(
                "POST", "/echo", b"3\r\ntwo\r\n0\r\n\r\n", transfer_encoding="chunked"
            )
            + request("POST", "/echo", b"three", connection="close")
        )
        whole = b""
        while more := caller.sock.recv(65536):
            whole += more
    bodies = [part.partition(b"HTTP/1.1")[0] for part in whole.split(b"\r\n\r\n")[1:]]
    assert bodies == [b"one", b"two", b"three"]


def test_who_asks_whether_to_go_on_is_told_so_once(server: WebServer) -> None:
    text = request("POST", "/echo", b"hello", expect="100-continue")
    with Caller(server.address) as caller:
        caller.say(text[:-5])
        assert caller.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.say(text[-5:-1])
        eventually(lambda: held(server) == len(text) - 1)
        caller.say(text[-1:])
        assert caller.sock.recv(12) == b"HTTP/1.1 200"


def test_a_body_that_is_too_large_is_refused_while_it_still_comes(
    server: WebServer, handler: Handler
) -> None:
    with Caller(server.address) as caller:
        # It is neither interrupted nor cut off, so whatever it is it hears why.
        caller.sock.sendall(request("POST", "/echo", b"x" * 10_000_000))
        reply = caller.hear()
        assert reply.status == 413
        assert reply.headers["connection"] == "close"
        assert caller.was_hung_up
    assert handler.count == 0
    assert server.tally.refusals == {"the body is too large": 1}
    assert server.tally.answers == {413: 1}


def test_a_body_of_the_greatest_size_is_taken(server: WebServer) -> None:
    with Caller(server.address) as caller:
        reply = caller.ask(request("POST", "/echo", b"x" * MOST_BODY))
        assert reply.status == 200 and len(reply.body) == MOST_BODY


def test_who_drips_is_told_to_stop(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(REQUEST_S=0.3)
    with Caller(server.address) as caller:
        caller.say(b"POST /echo HTTP/1.1\r\n")
        reply = caller.hear()
        assert reply.status == 408
        assert caller.was_hung_up
    assert server.tally.refusals == {"the request took too long": 1}


def test_each_byte_buys_no_more_time(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(REQUEST_S=0.5)
    with Caller(server.address) as caller:
        caller.say(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        caller.sock.settimeout(0.05)
        for _ in range(100):
            caller.say(b"x")
            try:
                assert caller.sock.recv(12) == b"HTTP/1.1 408"
            except TimeoutError:
                continue
            break
        else:
            pytest.fail("it drips on and on")


def test_who_says_nothing_is_left_without_a_word(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(REQUEST_S=0.3)
    with Caller(server.address) as caller:
        assert caller.was_hung_up
    assert server.tally.answers == {}


def test_a_kept_line_is_not_kept_for_ever(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(IDLE_S=0.3)
    with Caller(server.address) as caller:
        assert caller.ask(request()).status == 200
        assert caller.was_hung_up


def test_dripping_clients_take_no_thread(server: WebServer) -> None:
    with ExitStack() as stack:
        for _ in range(4 * CALL_THREADS):
            drip = stack.enter_context(Caller(server.address))
            drip.say(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        eventually(lambda: server.connections == 4 * CALL_THREADS)
        for _ in range(20):
            with Caller(server.address) as caller:
                assert caller.ask(request("POST", "/echo", b"hello")).body == "hello"


def test_when_sockets_run_short_the_slowest_has_to_go(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(MOST_LINES=8)
    with ExitStack() as stack:
        drips = []
        for _ in range(8):
            drips.append(stack.enter_context(Caller(server.address)))
            drips[-1].say(b"GET")
            eventually(lambda: len(served(server, "arriving")) == len(drips))
        with Caller(server.address) as caller:
            assert caller.ask(request()).status == 200
        assert drips[0].hear().status == 408
        assert len(served(server, "arriving")) == 7


def test_who_says_nothing_goes_before_who_says_something(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(MOST_LINES=2)
    with Caller(server.address) as drip, Caller(server.address) as silent:
        drip.say(b"GET")
        eventually(lambda: len(served(server, "arriving")) == 1)
        eventually(lambda: len(served(server, "idle")) == 1)
        with Caller(server.address) as caller:
            assert caller.ask(request()).status == 200
            assert silent.was_hung_up
            drip.say(request()[3:])
            assert drip.hear().status == 200


def test_when_every_line_is_at_work_who_comes_is_told_to_come_again(
    server: WebServer, handler: Handler, hurry: Callable[..., None]
) -> None:
    hurry(MOST_LINES=2)
    with Caller(server.address) as first, Caller(server.address) as second:
        for caller in (first, second):
            caller.say(request(path="/slow"))
            assert handler.begun.acquire(timeout=20)
        with Caller(server.address) as third:
            reply = third.hear()
            assert reply.status == 503 and reply.headers["retry-after"] == "1"
            assert third.was_hung_up
        handler.may_end.set()
        assert [first.hear().body, second.hear().body] == ["at last"] * 2


def test_much_that_is_half_here_is_not_all_held(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(MOST_HELD=1_000_000)
    half = request("POST", "/echo", b"x" * 600_000)[:-1]
    with Caller(server.address) as first, Caller(server.address) as second:
        first.say(half)
        eventually(lambda: held(server) > 600_000)
        second.say(half)
        assert first.hear().status == 408
        second.say(b"x")
        assert second.hear().status == 200


def test_who_does_not_take_his_answer_holds_no_thread(
    server: WebServer, hurry: Callable[..., None]
) -> None:
    hurry(SEND_S=1.0)
    with ExitStack() as stack:
        for _ in range(CALL_THREADS + 4):
            deaf = stack.enter_context(Caller(server.address, hears=4096))
            deaf.say(request(path="/long"))
        eventually(lambda: len(served(server, "sending")) == CALL_THREADS + 4)
        with Caller(server.address) as caller:
            assert caller.ask(request("POST", "/echo", b"hello")).body == "hello"
        eventually(lambda: server.connections == 0)
    refusals = server.tally.refusals
    assert refusals["the answer was not taken"] == CALL_THREADS + 4


def test_a_long_answer_arrives_whole(server: WebServer) -> None:
    with Caller(server.address, hears=4096) as caller:
        assert len(caller.ask(request(path="/long")).body) == len(LONG)


def test_probes_are_answered_while_every_thread_is_taken(
    server: WebServer, handler: Handler
) -> None:
    with ExitStack() as stack:
        slow = [
            stack.enter_context(Caller(server.address)) for _ in range(CALL_THREADS)
        ]
        for caller in slow:
            caller.say(request(path="/slow"))
            assert handler.begun.acquire(timeout=20)
        assert ask(server, "/healthz")[0] == 200
        assert ask(server, "/readyz")[0] == 200
        handler.may_end.set()
        assert [caller.hear().body for caller in slow] == ["at last"] * CALL_THREADS


def test_more_than_can_wait_is_refused_for_now(
    handler: Handler, hurry: Callable[..., None]
) -> None:
    hurry(CALL_THREADS=1, MOST_CALLS=1)
    with serving(handler.mount) as (server, _), ExitStack() as stack:
        callers = [stack.enter_context(Caller(server.address)) for _ in range(3)]
        callers[0].say(request(path="/slow"))
        assert handler.begun.acquire(timeout=20)
        callers[1].say(request(path="/slow"))
        eventually(lambda: server.waiting == 1)
        reply = callers[2].ask(request("POST", "/echo", b"hello"))
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        handler.may_end.set()
        assert [caller.hear().status for caller in callers[:2]] == [200, 200]
    assert server.tally.refusals == {line.FULL.why: 1}
    assert server.tally.answers == {200: 2, 503: 1}


def test_what_has_waited_too_long_is_not_begun_any_more(
    handler: Handler, hurry: Callable[..., None]
) -> None:
    hurry(CALL_THREADS=1, PATIENCE_S=0.0)
    with serving(handler.mount) as (server, _), Caller(server.address) as caller:
        reply = caller.ask(request("POST", "/echo", b"hello"))
        assert reply.status == 503 and reply.headers["retry-after"] == "1"
    assert handler.count == 0
    assert server.tally.refusals == {line.FULL.why: 1}


def test_a_handler_that_exits_ends_no_thread(
    handler: Handler, hurry: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    hurry(CALL_THREADS=1)
    with serving(handler.mount) as (server, _):
        for _ in range(2):
            with Caller(server.address) as caller:
                assert caller.ask(request(path="/exit")).status == 500
        with Caller(server.address) as caller:
            assert caller.ask(request("POST", "/echo", b"hello")).body == "hello"
    assert "a request ended its thread" in caplog.text


def test_what_comes_while_it_is_served_waits_for_its_turn(
    server: WebServer, handler: Handler
) -> None:
    with Caller(server.address) as caller:
        caller.say(request(path="/slow"))
        assert handler.begun.acquire(timeout=20)
        (mine,) = served(server, "at work")
        caller.say(request("POST", "/echo", b"hello"))
        # Or the reception would be woken for it again and again.
        eventually(lambda: not mine.watched)
        handler.may_end.set()
        heard = b""
        while not heard.endswith(b"hello"):
            heard += caller.sock.recv(65536)
        assert heard.count(b"HTTP/1.1 200") == 2 and b"at last" in heard


def test_who_leaves_while_he_is_served_hurts_nobody(
    server: WebServer, handler: Handler
) -> None:
    for _ in range(3):
        with Caller(server.address) as caller:
            caller.say(request(path="/slow"))
            assert handler.begun.acquire(timeout=20)
    handler.may_end.set()
    eventually(lambda: server.connections == 0)
    assert ask(server, "/healthz")[0] == 200


def test_refusals_are_told_at_once_and_then_once_a_minute(
    handler: Handler, hurry: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    hurry(TICK_S=0.0001)

    def talk_nonsense() -> None:
        with Caller(server.address) as caller:
            assert caller.ask(b"nonsense\r\n\r\n").status == 400

    with serving(handler.mount) as (server, _):
        talk_nonsense()
        with Caller(server.address):
            eventually(lambda: told(caplog))
        for _ in range(2):
            talk_nonsense()
            assert ask(server, "/healthz")[0] == 200
        assert len(told(caplog)) == 1
    assert told(caplog) == [
        "refused a request: the first line is no request (1)",
        "refused 2 requests: the first line is no request (2)",
    ]


def test_a_stop_hears_out_who_has_begun_to_speak(handler: Handler) -> None:
    text = request("POST", "/echo", b"hello")
    with serving(handler.mount) as (server, stop), Caller(server.address) as caller:
        caller.say(text[:20])
        eventually(lambda: len(served(server, "arriving")) == 1)
        with Caller(server.address) as silent:
            eventually(lambda: server.connections == 2)
            stop.set(Deadline(20))
            assert silent.was_hung_up
        caller.say(text[20:])
        reply = caller.hear()
        assert (reply.status, reply.body) == (200, "hello")
        assert reply.headers["connection"] == "close"


def test_a_stop_serves_who_has_called_but_was_not_heard_yet(handler: Handler) -> None:
    stop, port, callers = Stop(), free_port(), list[Caller]()

    def call() -> None:
        """Once the port is open, and before anybody looks there."""
        callers.append(Caller(("127.0.0.1", port)))
        callers[0].say(request("POST", "/echo", b"hello"))
        stop.set(Deadline(20))

    server = WebServer(
        host="127.0.0.1",
        port=port,
        mounts=[handler.mount, lambda _: call()],
        health=Health(),
    )
    server.run(stop)
    with callers[0] as caller:
        assert caller.hear().body == "hello"


def test_a_stop_does_not_wait_for_who_drips(handler: Handler) -> None:
    with serving(handler.mount) as (server, stop), Caller(server.address) as caller:
        caller.say(b"GET")
        eventually(lambda: len(served(server, "arriving")) == 1)
        stop.set(Deadline(20))
        assert caller.hear().status == 408


@pytest.mark.parametrize("finish_s, deadline_s", [(0.2, 100.0), (100.0, 0.2)])
def test_who_is_left_without_an_answer_is_told_of(
    handler: Handler,
    hurry: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    finish_s: float,
    deadline_s: float,
) -> None:
    hurry(FINISH_S=finish_s)
    with serving(handler.mount) as (server, stop), Caller(server.address) as caller:
        caller.say(request(path="/slow"))
        assert handler.begun.acquire(timeout=20)
        stop.set(Deadline(deadline_s))
        assert caller.was_hung_up
        handler.may_end.set()
    assert "a request got no answer before the end" in caplog.text


def test_without_files_left_who_is_idle_makes_room(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Caller(server.address) as idle:
        eventually(lambda: server.connections == 1)
        fail_to_accept(server, monkeypatch, times=1)
        with Caller(server.address) as caller:
            assert idle.was_hung_up
            assert caller.ask(request()).status == 200
    assert server.tally.refusals == {
        "no connection can be taken: Too many open files": 1
    }


def test_without_files_left_it_is_tried_again(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_accept(server, monkeypatch, seconds=0.6)
    with Caller(server.address) as caller:
        assert caller.ask(request()).status == 200
    # Now and then, not all the time.
    assert 1 <= server.tally.refusals.total() < 10


def test_who_hangs_up_before_he_is_heard_is_no_refusal(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_accept(server, monkeypatch, times=3, number=errno.ECONNABORTED)
    with Caller(server.address) as caller:
        assert caller.ask(request()).status == 200
    assert server.tally.refusals.total() == 0


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if "refused" in each.message]


def lines_of(server: WebServer) -> list[line.Line]:
    assert server._reception is not None
    return list(server._reception._clerk.lines)


def held(server: WebServer) -> int:
    return sum(each.arrival.size for each in lines_of(server))


def served(server: WebServer, state: line.State) -> list[line.Line]:
    return [each for each in lines_of(server) if each.state == state]


def fail_to_accept(
    server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    times: int = 1000_000,
    seconds: float = 20.0,
    number: int = errno.EMFILE,
) -> None:
    """So often, and for so long, no connection is to be had."""
    assert server._reception is not None
    listener, until = server._reception._listener, Deadline(seconds)
    left = iter(range(times))

    class Failing:
        def __getattr__(self, name: str) -> object:
            return getattr(listener, name)

        def accept(self) -> tuple[socket.socket, object]:
            if until.is_over or next(left, None) is None:
                return listener.accept()
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(server._reception, "_listener", Failing())
