"""Each who can be told of what malexbot does, and how each may fail."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from malexbot.config.model import Config
from malexbot.consumers.workstream.journal import Journal
from malexbot.consumers.workstream.open import open_sink, prepare
from malexbot.consumers.workstream.tcp import Tcp
from malexbot.errors import MalexbotError, Misconfigured, Permanent, Transient
from malexbot.pipeline.deeds import Deeds
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.verdicts import Done
from malexbot.runtime.health import Health
from malexbot.runtime.logs import Json, Masked
from malexbot.runtime.masks import Mask
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import Sink, Unsent, Workstream
from tests.support.events import posted
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs
from tests.support.receiver import Receiver, saying
from tests.support.redis import RedisServer
from tests.support.settings import free_port
from tests.support.threads import Running, eventually

SECRET = "a secret of some length"


def record(number: int = 1, outcome: str = "done", note: str = "") -> Record:
    return Record(1.0, "response", "run", outcome, 0.003, note, job=number)


def to(receiver: Receiver, time_out_s: float = 20.0) -> Tcp:
    return Tcp(receiver.name, ("127.0.0.1", receiver.port), time_out_s=time_out_s)


# The form of the routing service's logging service.


def test_the_service_is_told_name_mode_and_text() -> None:
    with Receiver(saying(b"202")) as receiver:
        to(receiver).write([record(1), record(2, "dead", "нет канала")])
    assert receiver.lines == [
        {
            "name": "malexbot.response",
            "mode": "info",
            "text": "run done in 3 ms job=1",
        },
        {
            "name": "malexbot.response",
            "mode": "error",
            "text": "run dead in 3 ms job=2: нет канала",
        },
    ]


@pytest.mark.parametrize(
    "words",
    [
        [b"202"],
        [b'{"status": 202, "text": "accepted"}'],
        [b"HTTP/1.1 20", b"2 Accepted\r\n"],
    ],
)
def test_whatever_has_202_in_it_takes_the_record(words: list[bytes]) -> None:
    with Receiver(saying(*words)) as receiver:
        to(receiver).write([record()])


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ([b"406 Not Acceptable"], Permanent, "406"),
        ([b"hello"], Transient, "'hello'"),
        ([], Transient, "''"),
        ([b"x" * 4000], Transient, "xxx"),
    ],
)
def test_any_other_answer_does_not(
    words: list[bytes], error: type[MalexbotError], told: str
) -> None:
    with Receiver(saying(*words)) as receiver:
        with pytest.raises(error, match=told):
            to(receiver).write([record()])


def test_who_is_silent_is_waited_for_no_longer_than_that() -> None:
    done = threading.Event()
    with Receiver(lambda line: done.wait(20)) as receiver:
        with pytest.raises(Transient, match="no answer in time"):
            to(receiver, 0.05).write([record()])
        done.set()


def test_who_drips_is_waited_for_no_longer_either() -> None:
    done = threading.Event()

    def drip(line: socket.socket) -> None:
        while not done.wait(0.01):
            line.sendall(b"2")

    with Receiver(drip) as receiver:
        with pytest.raises(Transient, match="no answer in time"):
            to(receiver, 0.1).write([record()])
        done.set()


def test_where_nobody_is_nothing_has_left() -> None:
    sink = Tcp("tcp:x", ("127.0.0.1", free_port()))
    with pytest.raises(Unsent, match="nothing listens there"):
        sink.write([record()])


def test_a_record_fits_what_a_service_reads_at_once() -> None:
    longest = Record(
        at=1.0,
        who="p" * 60,
        what="chat.post",
        outcome="not ready",
        took_s=1e4,
        note="ж" * 200,
        to="mattermost:" + "c" * 26,
        job=10**9,
        parent=10**9,
        attempt=99,
        event_id="e" * 40,
        event_type="reaction",
        source="mattermost",
        user="u" * 26,
        peer="c" * 26,
    )
    with Receiver(saying(b"202")) as receiver:
        to(receiver).write([longest])
    assert receiver.lines[0]["text"] == longest.line()


# Beside the way of the jobs.


def test_a_receiver_that_hangs_delays_no_job() -> None:
    """It holds its first record until all jobs are done."""
    all_done, jobs = threading.Event(), MemoryJobs(Clock())
    workstream = Workstream(Health(), most=50, turn_s=0.001)
    runner = Runner(
        jobs=jobs,
        handlers={"run": lambda job, hold: Done()},
        ended=[Deeds(workstream).ended],
    )

    def run(number: int) -> None:
        jobs.offer(posted(f"e{number}"), "acting")
        (job,) = jobs.claim(kinds=["run"], limit=1, lease_s=90)
        runner.run(Work(job, Hold(lease_s=90, time_out_s=60)), goes_on=False)

    def hold(line: socket.socket) -> None:
        all_done.wait(20)
        line.sendall(b"202")

    with Receiver(hold) as receiver:
        workstream.adopt(to(receiver))
        with Running(workstream):
            run(0)
            eventually(lambda: receiver.lines)
            for number in range(1, 200):
                run(number)
            assert len(jobs.of("done")) == 200 and len(receiver.lines) == 1
            assert (workstream.waiting, workstream.dropped) == (50, 149)
            all_done.set()
            eventually(lambda: workstream.told == 52)
    assert "missing before this one: 149" in receiver.lines[-1]["text"]


# Redis.


def opened(to: str, **blocks: Any) -> Sink:
    config = Config.model_validate({"workstream": {"to": to}, **blocks})
    sink = open_sink(config)
    assert sink is not None and sink.name == ("the journal" if ":" not in to else to)
    return sink


@pytest.fixture
def redis_sink(server: RedisServer) -> Iterator[Callable[..., Sink]]:
    sinks: list[Sink] = []

    def make(url: str = "", **more: Any) -> Sink:
        block = {"url": url or server.url, "prefix": "bot:"}
        sinks.append(opened("redis:work", redis=block, **more))
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


def test_a_stream_holds_the_records_as_json(
    redis_sink: Callable[..., Sink], server: RedisServer
) -> None:
    redis_sink().write([record(1), record(2)])
    with server.client() as client:
        found: Any = client.xrange("bot:work")
    assert [json.loads(fields["record"])["job"] for _, fields in found] == [1, 2]
    assert found[0][1]["schema"] == "1"


def test_the_stream_is_cut_off_at_its_own_bound(server: RedisServer) -> None:
    settings = {"to": "redis:work", "max_entries": 200}
    config = Config.model_validate(
        {"workstream": settings, "redis": {"url": server.url}}
    )
    sink = open_sink(config)
    assert sink is not None
    for _ in range(10):
        sink.write([record()] * 100)
    sink.close()
    with server.client() as client:
        # Valkey cuts off whole nodes, of 100 entries.
        assert 200 <= int(client.xlen("work")) <= 300


def test_a_full_or_missing_redis_is_told(
    redis_sink: Callable[..., Sink], server: RedisServer
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(Transient, match="Redis is full"):
            redis_sink().write([record()])
        client.config_set("maxmemory", 0)
        client.set("bot:work", "no stream")
        with pytest.raises(Permanent, match="WRONGTYPE"):
            redis_sink().write([record()])
    with pytest.raises(Transient):
        redis_sink(f"redis://127.0.0.1:{free_port()}/0").write([record()])


# HTTP.


class Desk(BaseHTTPRequestHandler):
    """Takes what is posted, and answers as its server is told."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.calls.append((dict(self.headers), body))
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server: Any = HTTPServer(("127.0.0.1", 0), Desk)
    server.calls, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_is_posted_a_signed_list(service: Any) -> None:
    url = f"http://127.0.0.1:{service.server_port}/log"
    sink = opened("http:ops", http={"ops": {"url": url, "secret": SECRET}})
    sink.write([record(1), record(2)])
    service.status = 503
    with pytest.raises(Transient, match="503"):
        sink.write([record(3)])
    service.status = 400
    with pytest.raises(Permanent, match="400"):
        sink.write([record(4)])
    sink.close()
    headers, body = service.calls[0]
    assert [each["job"] for each in json.loads(body)] == [1, 2]
    text = headers["X-Malexbot-Timestamp"].encode() + b"." + body
    signature = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    assert headers["X-Malexbot-Signature"] == f"sha256={signature}"
    assert len({each["Idempotency-Key"] for each, _ in service.calls}) == 3


def test_no_more_is_posted_than_the_rate_lets(service: Any) -> None:
    url = f"http://127.0.0.1:{service.server_port}/log"
    sink = opened("http:ops", http={"ops": {"url": url, "rate": 0.001}})
    sink.write([record(1)])
    with pytest.raises(Unsent) as raised:
        sink.write([record(2)])
    assert 0 < (raised.value.retry_after_s or 0) <= 1000
    sink.close()
    assert len(service.calls) == 1


# The journal.


@pytest.fixture
def journal() -> Iterator[Callable[[Masked], io.StringIO]]:
    """What the log says while the test runs, as this formatter writes it."""
    log, stream = logging.getLogger("malexbot.workstream"), io.StringIO()
    handler, level = logging.StreamHandler(stream), log.level

    def listen(formatter: Masked) -> io.StringIO:
        handler.setFormatter(formatter)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        return stream

    yield listen
    log.removeHandler(handler)
    log.setLevel(level)


def test_the_journal_has_a_line_with_all_that_is_known(
    journal: Callable[[Masked], io.StringIO],
) -> None:
    stream = journal(Masked(Mask()))
    opened("journal").write([record(7, "dead", "gone")])
    assert stream.getvalue().endswith(
        " INFO    workstream: dead"
        " [who=response what=run outcome=dead note=gone job=7 ms=3.0]\n"
    )


def test_the_journal_of_a_machine_has_an_object_with_fields(
    journal: Callable[[Masked], io.StringIO],
) -> None:
    stream = journal(Json(Mask()))
    Journal().write([record(7)])
    told = json.loads(stream.getvalue())
    assert (told["logger"], told["who"], told["what"]) == (
        "workstream",
        "response",
        "run",
    )
    assert (told["job"], told["outcome"], told["ms"]) == (7, "done", 3.0)


# Who it is.


def test_nobody_is_told_by_default() -> None:
    assert open_sink(Config()) is None


def test_new_settings_count_at_once_or_not_at_all() -> None:
    workstream = Workstream(Health())
    settings = {"to": "journal", "tells": "failures"}
    prepare(workstream, Config.model_validate({"workstream": settings}))()
    assert workstream.takes(is_failure=True) and not workstream.takes()
    for to in ("redis:work", "http:ops"):
        with pytest.raises(Misconfigured, match=to):
            prepare(workstream, Config.model_validate({"workstream": {"to": to}}))
    assert workstream.takes(is_failure=True)
    prepare(workstream, Config())()
    assert not workstream.takes(is_failure=True)
