"""One request as it comes in: read to its end, and no further than it may go.

Nothing here waits or reads from a socket: who does feeds it what came, and hears when
the request is whole. What passes is strict HTTP/1.x of a length that is beyond doubt,
so nobody who reads it after us, or read it before, takes it for something else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from malexbot.web.refusals import Refused

# Mattermost's own are below 1 KiB, those behind proxies below 4.
MOST_HEAD = 16 * 1024
MOST_FIELDS = 100
# The longest a person can say is 64 KiB, thrice that in a form; the rest is webhooks.
MOST_BODY = 1024 * 1024

_REQUEST_LINE = re.compile(rb"[A-Z]{1,20} (/[!-~]*) HTTP/(\d)\.(\d)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
# Control characters, and half a line end: nothing that speaks HTTP sends them.
_GARBAGE = re.compile(rb"[^\t\r\n\x20-\x7e\x80-\xff]|(?<!\r)\n|\r(?=[^\n])")
_NUMBER = re.compile(rb"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e]*)?")
_LONGEST_CHUNK_LINE = 256
# Two of these would let everyone take the one that he likes.
_ONCE = (
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"expect",
    b"host",
    b"transfer-encoding",
)

Fields = Mapping[bytes, Sequence[bytes]]


class Head(NamedTuple):
    """What the first lines of a request tell of the rest."""

    path: str
    """As it was written; without the query."""
    length: int | None
    """Of the body; None when it comes in chunks."""
    waits: bool
    """Yes: the body is sent only once we have said "100 Continue"."""


class Arrival:
    """Feed it until it is whole; it raises Refused as soon as it cannot be that."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self._came = bytearray()
        self._looked_at = 0
        self._chunks: Chunks | None = None
        self._end: int | None = None

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self._came)

    @property
    def is_whole(self) -> bool:
        return self._end is not None and len(self._came) >= self._end

    @property
    def request(self) -> bytes:
        """All of it, once it is whole."""
        return bytes(self._came[: self._end])

    @property
    def rest(self) -> bytes:
        """What came after it: the beginning of the next one."""
        return bytes(self._came[self._end :])

    def feed(self, data: bytes) -> None:
        self._came += data
        if self.head is None:
            self._find_head()
        if self._chunks is not None and self._end is None:
            self._end = self._chunks.find_end(self._came)

    def _find_head(self) -> None:
        end = self._came.find(b"\r\n\r\n", max(0, self._looked_at - 3))
        until = len(self._came) if end < 0 else end
        if until > MOST_HEAD:
            raise self._too_long()
        if _GARBAGE.search(self._came, max(0, self._looked_at - 1), until):
            raise Refused(HTTPStatus.BAD_REQUEST, "this is not HTTP")
        self._looked_at = until
        if end >= 0:
            self.head = read_head(bytes(self._came[:end]))
            self._measure(self.head, end + 4)

    def _measure(self, head: Head, begin: int) -> None:
        if head.length is None:
            self._chunks = Chunks(begin)
        else:
            self._end = begin + head.length

    def _too_long(self) -> Refused:
        if b"\r\n" in self._came[:MOST_HEAD]:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return Refused(status, "the header is too long")
        return Refused(HTTPStatus.REQUEST_URI_TOO_LONG, "the address is too long")


class Chunks:
    """Finds where a body in chunks ends; all of it counts, their sizes too."""

    def __init__(self, begin: int) -> None:
        self._begin = self._at = begin

    def find_end(self, came: bytearray) -> int | None:
        """Where the next request begins; None as long as something is missing."""
        while (line := came.find(b"\r\n", self._at)) >= 0:
            size = self._size(came, line)
            end = line + 2 + size + 2
            if end - self._begin > MOST_BODY:
                raise too_large()
            if len(came) < end:
                return None
            if came[end - 2 : end] != b"\r\n":
                raise Refused(HTTPStatus.BAD_REQUEST, "a chunk does not end")
            self._at = end
            if size == 0:
                return end
        if len(came) - self._at > _LONGEST_CHUNK_LINE:
            raise Refused(HTTPStatus.BAD_REQUEST, "a chunk has no size")
        return None

    def _size(self, came: bytearray, line: int) -> int:
        found = _CHUNK.fullmatch(came, self._at, line)
        if found is None or line - self._at > _LONGEST_CHUNK_LINE:
            raise Refused(HTTPStatus.BAD_REQUEST, "a chunk has no size")
        return int(found[1], 16)


def read_head(text: bytes) -> Head:
    """What the lines before the empty one say; raises Refused."""
    first, *lines = text.split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(first)
    if request is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "the first line is no request")
    version = (int(request[2]), int(request[3]))
    if version not in ((1, 0), (1, 1)):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this speaks HTTP/1.1")
    fields = _read_fields(lines)
    if version == (1, 1) and b"host" not in fields:
        raise Refused(HTTPStatus.BAD_REQUEST, "the header Host is missing")
    length = _read_length(fields, is_old=version == (1, 0))
    return Head(
        path=request[1].partition(b"?")[0].decode("ascii"),
        length=length,
        waits=_is_waiting(fields) and length != 0,
    )


def _read_fields(lines: Sequence[bytes]) -> Fields:
    if len(lines) > MOST_FIELDS:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise Refused(status, "there are too many headers")
    fields: dict[bytes, list[bytes]] = defaultdict(list)
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "a header makes no sense")
        fields[found[1].lower()].append(found[2].rstrip(b" \t"))
    for name in _ONCE:
        if len(fields.get(name, ())) > 1:
            raise Refused(HTTPStatus.BAD_REQUEST, "a header is there twice")
    return dict(fields)


def _read_length(fields: Fields, *, is_old: bool) -> int | None:
    lengths, codings = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    if codings:
        if lengths or is_old:
            raise Refused(HTTPStatus.BAD_REQUEST, "the length of the body is in doubt")
        if codings[0].lower() != b"chunked":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, "no such Transfer-Encoding here")
        return None
    if not lengths:
        return 0
    if not _NUMBER.fullmatch(lengths[0]):
        raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
    if int(lengths[0]) > MOST_BODY:
        raise too_large()
    return int(lengths[0])


def _is_waiting(fields: Fields) -> bool:
    expected = fields.get(b"expect")
    if expected and expected[0].lower() != b"100-continue":
        raise Refused(HTTPStatus.EXPECTATION_FAILED, "nothing of the kind is done here")
    return bool(expected)


def too_large() -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
