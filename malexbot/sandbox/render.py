"""An answer as the bytes that go over the line."""

from __future__ import annotations

import zlib
from email.utils import formatdate

from malexbot.sandbox.call import Answer, Request

_REASONS = {
    200: "OK",
    201: "Created",
    206: "Partial Content",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    416: "Requested Range Not Satisfiable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
# Answers from this size on are packed for those who can unpack them.
_GZIP_FROM = 1400


def render(
    request: Request,
    answer: Answer,
    extra: list[tuple[str, str]] | None = None,
) -> bytes:
    """Head and body; `extra` headers may have a name more than once."""
    body = answer.body
    headers = [("Content-Type", answer.content_type)] if body else []
    headers += answer.headers.items()
    headers += extra or []
    if "Date" not in answer.headers:
        headers.append(("Date", formatdate(usegmt=True)))
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    if len(body) >= _GZIP_FROM and takes_gzip and answer.status != 206:
        packer = zlib.compressobj(1, wbits=31)
        body = packer.compress(body) + packer.flush()
        headers.append(("Content-Encoding", "gzip"))
    if answer.status != 304:
        headers.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    reason = _REASONS.get(answer.status, "Error")
    head = f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n"
    return head.encode("latin-1", "replace") + body
