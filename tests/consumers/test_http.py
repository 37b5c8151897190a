"""What is posted to a service arrives, can be told from others', and comes again."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from malexbot.config.targets import HttpTarget
from malexbot.consumers.away import Away
from malexbot.consumers.http import LONGEST_WAIT_S, HttpLine, retry_after_s
from malexbot.errors import Permanent, Transient
from tests.consumers.deliveries import delivery, sent
from tests.consumers.service import Service, dripping
from tests.support.redis import Cutter
from tests.support.settings import free_port

SECRET = "a secret of some length"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def made() -> Iterator[Any]:
    """Makes the line to one target, `moderation`."""
    lines: list[HttpLine] = []

    def make(service: Service | str, **settings: Any) -> HttpLine:
        url = service if isinstance(service, str) else service.url
        target = HttpTarget(url=url, **settings)
        lines.append(HttpLine("http:moderation", target))
        return lines[-1]

    yield make
    for line in lines:
        line.close()


def post(line: HttpLine, key: str = "k1", **more: Any) -> str:
    return sent(line, delivery(key, to="http:moderation", **more))


def test_the_body_is_the_event(service: Service, made: Any) -> None:
    assert post(made(service), event={"text": "Привет"}) == "204 No Content"
    (call,) = service.calls
    assert call.path == "/events" and call.body.decode() == '{"text":"Привет"}'
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["X-Malexbot-Schema"] == "1"
    assert call.headers["User-Agent"].startswith("malexbot/")


def test_the_same_event_has_the_same_key(service: Service, made: Any) -> None:
    line = made(service)
    for key in ("a", "a", "b"):
        post(line, key)
    keys = [call.headers["Idempotency-Key"] for call in service.calls]
    assert keys == ["a", "a", "b"]


def test_a_signature_is_of_the_moment_and_the_body(service: Service, made: Any) -> None:
    post(made(service, secret=SECRET))
    (call,) = service.calls
    moment = call.headers["X-Malexbot-Timestamp"]
    assert abs(int(moment) - time.time()) < 60
    text = f"{moment}.".encode() + call.body
    expected = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    assert call.headers["X-Malexbot-Signature"] == f"sha256={expected}"


def test_without_a_secret_nothing_is_signed(service: Service, made: Any) -> None:
    post(made(service))
    assert "X-Malexbot-Signature" not in service.calls[0].headers


def test_a_token_is_shown(service: Service, made: Any) -> None:
    post(made(service, token="t0ken"))
    assert service.calls[0].headers["Authorization"] == "Bearer t0ken"


def test_one_connection_serves_many(service: Service, made: Any) -> None:
    service.status, service.body = 200, b"thank you"
    line = made(service)
    for number in range(20):
        post(line, str(number))
    assert len(service.calls) == 20 and len(service.lines) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(service: Service, made: Any, status: int) -> None:
    service.status = status
    with pytest.raises(Transient, match=f"moderation: {status}"):
        post(made(service))


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422])
def test_what_is_refused_goes_dead(service: Service, made: Any, status: int) -> None:
    service.status = status
    with pytest.raises(Permanent, match=f"moderation: {status}"):
        post(made(service))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://me@sso.example:8443/s3cret?s3cret", "to https://sso.example:8443"),
        ("/s3cret", "somewhere else"),
        ("http://[s3cret", "somewhere else"),
    ],
)
def test_a_redirect_is_not_followed_and_costs_no_event(
    service: Service, made: Any, status: int, location: str, told: str
) -> None:
    service.status, service.headers = status, {"Location": location}
    with pytest.raises(Away, match=f": {status} leads {told}: write the") as refused:
        post(made(service))
    assert len(service.calls) == 1
    assert refused.value.is_certain and "s3cret" not in str(refused.value)


def test_what_a_refusal_says_is_clipped(service: Service, made: Any) -> None:
    service.status, service.body = 422, b"no  such\nfield \xff" + b"x" * 100_000
    with pytest.raises(Permanent) as refused:
        post(made(service))
    told = str(refused.value)
    assert told.startswith(
        "http:moderation: 422 no such field \N{REPLACEMENT CHARACTER}x"
    )
    assert len(told) < 250


def test_the_wait_that_is_asked_for_is_told(service: Service, made: Any) -> None:
    service.status, service.headers = 429, {"Retry-After": "7"}
    with pytest.raises(Away) as refused:
        post(made(service))
    assert refused.value.retry_after_s == 7 and refused.value.is_certain


@pytest.mark.parametrize("status", [425, 500, 501, 505])
def test_what_may_be_the_events_own_fault_is_told_apart(
    service: Service, made: Any, status: int
) -> None:
    service.status, service.headers = status, {"Retry-After": "7"}
    with pytest.raises(Transient) as refused:
        post(made(service))
    assert not isinstance(refused.value, Away)
    assert refused.value.retry_after_s == 7


@pytest.mark.parametrize(("status", "is_certain"), [(503, True), (504, False)])
def test_a_silence_may_be_of_the_events_making(
    service: Service, made: Any, status: int, is_certain: bool
) -> None:
    service.status = status
    with pytest.raises(Away) as refused:
        post(made(service))
    assert refused.value.is_certain == is_certain


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("2.5", 2.5),
        ("-3", 0),
        ("86400", LONGEST_WAIT_S),
        ("", None),
        ("soon", None),
        ("nan", None),
        (formatdate(0, usegmt=True), 0),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after_s(text) == seconds


def test_retry_after_may_be_a_date() -> None:
    told = retry_after_s(formatdate(time.time() + 60, usegmt=True))
    assert told is not None and 50 < told <= 60


def test_a_service_that_hangs_is_given_up_in_time(service: Service, made: Any) -> None:
    service.goes_on.clear()
    with pytest.raises(Away, match="no answer in time") as refused:
        post(made(service, time_out="200ms"))
    assert not refused.value.is_certain
    service.goes_on.set()


def test_a_line_that_breaks_is_tried_again(service: Service, made: Any) -> None:
    service.is_mute = True
    with pytest.raises(Away, match="the line broke before it answered") as refused:
        post(made(service))
    assert not refused.value.is_certain
    assert len(service.calls) == 1


def test_nobody_there_is_tried_again_and_no_address_is_told(made: Any) -> None:
    line = made(f"http://127.0.0.1:{free_port()}/hooks/s3cret?key=s3cret")
    with pytest.raises(Away, match="nothing listens there") as refused:
        post(line)
    assert "s3cret" not in str(refused.value) and refused.value.is_certain


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (socket.EAI_NONAME, "its name is not known"),
        (socket.EAI_AGAIN, "its name cannot be looked up now"),
    ],
)
def test_a_name_that_is_not_known_is_told_as_that(
    made: Any, monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Away, match=f"http:moderation: {told}: no$") as refused:
        post(made("https://moderation.example/hooks/s3cret"))
    assert refused.value.is_certain


def test_a_certificate_that_is_not_trusted_is_told_as_that(
    service: Service, made: Any, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Cutter(service.server_port, tls=context) as line:
        url = line.url.replace("rediss:", "https:")
        with pytest.raises(Away, match="certificate is not trusted: self") as refused:
            post(made(url))
        assert post(made(url, ca_file=certificate)) == "204 No Content"
    assert refused.value.is_certain


def test_a_proxy_of_the_environment_is_used(
    service: Service, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{service.server_port}")
    monkeypatch.setenv("no_proxy", "")
    post(made("http://service.example/events"))
    assert service.calls[0].path == "http://service.example/events"


def test_no_netrc_replaces_the_token(
    service: Service, made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login anna password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    line = made(service)
    post(line)
    assert "Authorization" not in service.calls[0].headers


def test_a_batch_is_a_list_of_what_each_has_its_own_key(
    service: Service, made: Any
) -> None:
    line = made(service, batch=10, secret=SECRET)
    jobs = [delivery(key, to="http:moderation") for key in ("a", "b")]
    for _ in range(2):
        assert line.send(jobs) == ["204 No Content"] * 2
    line.send(jobs[:1])
    first, again, alone = service.calls
    assert json.loads(first.body) == [
        {"key": "a", "event": {"text": "said a"}},
        {"key": "b", "event": {"text": "said b"}},
    ]
    assert json.loads(alone.body) == [{"key": "a", "event": {"text": "said a"}}]
    # The same events have the same key, other ones another.
    batches = [call.headers["Idempotency-Key"] for call in service.calls]
    assert batches[0] == batches[1] != batches[2]


def test_an_answer_that_drips_is_given_up_in_time(made: Any) -> None:
    begins = b"HTTP/1.1 200 OK\r\n"
    with dripping(begins, b"X-A: 1\r\n") as url, pytest.raises(Away) as refused:
        post(made(url, time_out="300ms"))
    assert not refused.value.is_certain


@pytest.mark.parametrize("more", [b"Content-Length: 9999", b"Content-Encoding: gzip"])
def test_who_has_answered_has_it_though_its_words_do_not_come(
    made: Any, more: bytes
) -> None:
    begins = b"HTTP/1.1 %s\r\n" + more + b"\r\n\r\n"
    with dripping(begins % b"200 OK", b"x" * 100) as url:
        assert post(made(url, time_out="300ms")) == "200 OK"
    with dripping(begins % b"422 No", b"x" * 100) as url:
        with pytest.raises(Permanent, match="moderation: 422"):
            post(made(url, time_out="300ms"))


def test_a_line_is_kept_after_an_answer_that_was_read_in_time(
    service: Service, made: Any
) -> None:
    line = made(service, time_out="5s")
    service.status, service.body = 422, b"x" * 1000
    for _ in range(3):
        with pytest.raises(Permanent):
            post(line)
    assert len(service.lines) == 1


def test_certificates_that_are_not_there_are_waited_for(made: Any) -> None:
    line = made("https://127.0.0.1:1/", ca_file="/nowhere/ca.pem")
    with pytest.raises(Away, match="/nowhere/ca.pem") as refused:
        post(line)
    assert refused.value.is_certain
