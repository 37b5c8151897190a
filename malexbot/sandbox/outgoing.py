"""What the server asks of integrations, and its rule about internal addresses."""

from __future__ import annotations

import gzip
import socket
import zlib
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import orjson

from malexbot.sandbox.model import Json
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.settings import Settings

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# More of an answer is not read.
_MOST_BYTES = 1 << 20
_TROUBLES = (OSError, EOFError, HTTPException, ValueError, zlib.error)
_FORBIDDEN = (
    "address forbidden, you may need to set AllowedUntrustedInternalConnections"
    " to allow an integration access to your internal network"
)


class NoAnswer(Exception):
    """There was none; why, as Go tells it."""


@dataclass(frozen=True)
class Reply:
    """What an integration answered."""

    status: int
    reason: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Outgoing:
    """Calls integrations: commands, buttons, menus, dialogs, webhooks."""

    settings: Settings

    def post(self, url: str, body: Json) -> bytes:
        """As buttons and dialogs do: all but a 200 is one and the same error."""
        try:
            reply = self.ask(url, orjson.dumps(body))
        except NoAnswer as error:
            raise failed(f"err={error}") from error
        if reply.status != 200:
            raise failed(f"status={reply.status}")
        return reply.body

    def ask(
        self, url: str, body: bytes | None, kind: str = JSON, *, token: str = ""
    ) -> Reply:
        """A POST, or without a body a GET."""
        try:
            return self._exchange(urlsplit(url), body, kind, token)
        except _TROUBLES as error:
            method = "Get" if body is None else "Post"
            told = orjson.dumps(url).decode()
            raise NoAnswer(f"{method} {told}: {_reason(error, url)}") from error

    def _exchange(
        self, url: SplitResult, body: bytes | None, kind: str, token: str
    ) -> Reply:
        host, is_secure = url.hostname or "", url.scheme == "https"
        port = url.port or (443 if is_secure else 80)
        address = self._allowed(host, port)
        timeout = self.settings.integration_s
        if is_secure:
            line: HTTPConnection = HTTPSConnection(host, port, timeout=timeout)
        else:
            line = HTTPConnection(address, port, timeout=timeout)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            return _asked(line, target, _head(url, body, kind, token), body)
        finally:
            line.close()

    def _allowed(self, host: str, port: int) -> str:
        """The first address of the host that may be called."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(address[4][0]) for address in found]
        for address in addresses:
            if self._is_allowed(host, address):
                return address
        raise ValueError(_FORBIDDEN)

    def _is_allowed(self, host: str, address: str) -> bool:
        if ip_address(address).is_global:
            return True
        words = self.settings.allowed_internal.replace(",", " ").split()
        return any(word == host or _holds(word, address) for word in words)


def failed(detail: str) -> Refusal:
    """What a press or a dialog is answered when its integration did not do well."""
    return Refusal("api.post.do_action.action_integration.app_error", detail)


def _head(
    url: SplitResult, body: bytes | None, kind: str, token: str
) -> list[tuple[str, str]]:
    """The headers in the order in which the server sends them."""
    head = [("Host", url.netloc), ("User-Agent", "Mattermost-Bot/1.1")]
    if body is not None:
        head.append(("Content-Length", str(len(body))))
    head.append(("Accept", JSON))
    if token:
        head.append(("Authorization", f"Token {token}"))
    if body is not None:
        head.append(("Content-Type", kind))
    return [*head, ("Accept-Encoding", "gzip")]


def _asked(
    line: HTTPConnection, target: str, head: list[tuple[str, str]], body: bytes | None
) -> Reply:
    method = "GET" if body is None else "POST"
    line.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in head:
        line.putheader(name, value)
    line.endheaders(body)
    answer = line.getresponse()
    told = answer.read(_MOST_BYTES)
    if answer.headers.get("Content-Encoding") == "gzip":
        told = gzip.decompress(told)
    kind = answer.headers.get("Content-Type", "")
    return Reply(answer.status, answer.reason, kind, told)


def _holds(word: str, address: str) -> bool:
    """Yes: this word of the list names that address, or a network around it."""
    try:
        return ip_address(address) in ip_network(word, strict=False)
    except ValueError:
        return False


def _reason(error: Exception, url: str) -> str:
    """The words of Go for it."""
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {urlsplit(url).netloc}: connect: connection refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "EOF"
    return str(error)
