"""Requests, fed as they come off a line."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.web.arrival import MOST_BODY, MOST_HEAD, Arrival, Head
from malexbot.web.refusals import Refused
from tests.web.caller import request

GET = request()
POST = request("POST", "/slash?a=/b", b"text=hello")
IN_CHUNKS = request(
    "POST",
    "/hooks/ci",
    b"5;name=value\r\nhello\r\nA\r\n, all of y\r\n0\r\n\r\n",
    transfer_encoding="chunked",
)


def arrive(*parts: bytes) -> Arrival:
    arrival = Arrival()
    for part in parts:
        arrival.feed(part)
    return arrival


def refusal(*parts: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        arrive(*parts)
    return refused.value


@pytest.mark.parametrize(
    "text, head",
    [
        (GET, Head("/healthz", 0, False)),
        (POST, Head("/slash", 10, False)),
        (IN_CHUNKS, Head("/hooks/ci", None, False)),
        (b"GET / HTTP/1.0\r\n\r\n", Head("/", 0, False)),
        (request(body=b"x", expect="100-continue"), Head("/healthz", 1, True)),
        (request(expect="100-continue"), Head("/healthz", 0, False)),
        (request(content_length="007"), Head("/healthz", 7, False)),
        (request(cookie="x=\xe9\xa0"), Head("/healthz", 0, False)),
    ],
)
def test_the_head_tells_what_is_to_come(text: bytes, head: Head) -> None:
    assert arrive(text).head == head


@pytest.mark.parametrize("text", [GET, POST, IN_CHUNKS])
@given(cuts=st.lists(st.integers(0, 400), max_size=6))
def test_it_is_whole_with_its_last_byte_however_it_comes(
    text: bytes, cuts: list[int]
) -> None:
    arrival, begin = Arrival(), 0
    for end in sorted({min(cut, len(text) - 1) for cut in cuts}):
        arrival.feed(text[begin:end])
        assert not arrival.is_whole
        begin = end
    arrival.feed(text[begin:] + b"GET /next")
    assert arrival.is_whole
    assert arrival.request == text
    assert arrival.rest == b"GET /next"


@pytest.mark.parametrize("text", [GET, POST, IN_CHUNKS])
def test_byte_by_byte(text: bytes) -> None:
    arrival = arrive(*(text[at : at + 1] for at in range(len(text) - 1)))
    assert not arrival.is_whole
    arrival.feed(text[-1:])
    assert arrival.is_whole and arrival.request == text


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01",  # TLS
        b"GET / HTTP/1.1\n",
        b"GET /\rHost: x",
        b"\0" * 10,
        b"nonsense\r\n\r\n",
        b"\r\n\r\n",
        b"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nSpace : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Length: 5\r\n\r\n",
    ],
)
def test_what_is_no_request_or_two_is_refused(text: bytes) -> None:
    assert refusal(text).status == HTTPStatus.BAD_REQUEST
    assert refusal(*(text[at : at + 1] for at in range(len(text)))).status == 400


@pytest.mark.parametrize(
    "text, status",
    [
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (request(transfer_encoding="gzip, chunked"), 501),
        (request(body=b"x", expect="a miracle"), 417),
        (request(path="/" + "x" * MOST_HEAD), 414),
        (b"GET /" + b"x" * MOST_HEAD, 414),
        (request(cookie="x" * MOST_HEAD), 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MOST_HEAD, 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (request("POST", content_length=str(MOST_BODY + 1)), 413),
    ],
)
def test_what_is_too_much_is_refused(text: bytes, status: int) -> None:
    assert refusal(text).status == status


@pytest.mark.parametrize(
    "chunks, status",
    [
        (b"100001\r\n", 413),
        (b"FFFFFFFF\r\n", 413),
        (b"5\r\nhello" + b"xx", 400),
        (b"\r\n", 400),
        (b"-5\r\n", 400),
        (b"0x5\r\n", 400),
        (b"0\r\nTrailer: x\r\n\r\n", 400),
        (b"5;" + b"x" * 300, 400),
        (b"5;" + b"x" * 300 + b"\r\n", 400),
        (b"1\r\nx\r\n" * 200_000, 413),
    ],
)
def test_chunks_that_end_nowhere_are_refused(chunks: bytes, status: int) -> None:
    text = request("POST", body=chunks, transfer_encoding="chunked")
    assert refusal(text).status == status
    head = text.index(b"\r\n\r\n") + 4
    assert refusal(text[:head], text[head:]).status == status


def test_a_body_of_the_greatest_length_passes() -> None:
    assert arrive(request("POST", body=b"x" * MOST_BODY)).is_whole


@given(st.binary(max_size=200))
def test_anything_at_all_is_refused_or_waited_for(text: bytes) -> None:
    try:
        arrival = arrive(text)
    except Refused as refused:
        assert 400 <= refused.status < 600
    else:
        assert not arrival.is_whole
