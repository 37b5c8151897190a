"""What the server asks of integrations, and its rule about internal addresses."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import orjson

from malexbot.sandbox.model import Json
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.settings import Settings

_FORBIDDEN = (
    "address forbidden, you may need to set AllowedUntrustedInternalConnections"
    " to allow an integration access to your internal network"
)


class Refused(Exception):
    """There was no answer; why, as Go tells it."""


@dataclass(frozen=True)
class Outgoing:
    """POSTs to integrations, as buttons, menus and dialogs do."""

    settings: Settings

    def post(self, url: str, body: Json) -> bytes:
        """The body of a 200; all else is one and the same error to the user."""
        try:
            status, answer = self._exchange(urlsplit(url), orjson.dumps(body))
        except (Refused, OSError, HTTPException, ValueError) as error:
            raise _failed(f"err=Post {_quoted(url)}: {error}") from error
        if status != 200:
            raise _failed(f"status={status}")
        return answer

    def _exchange(self, url: SplitResult, body: bytes) -> tuple[int, bytes]:
        host, is_secure = url.hostname or "", url.scheme == "https"
        port = url.port or (443 if is_secure else 80)
        kind = HTTPSConnection if is_secure else HTTPConnection
        line = kind(
            self._allowed(host, port), port, timeout=self.settings.integration_s
        )
        headers = {
            "Host": url.netloc,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "Mattermost-Bot/1.1",
        }
        try:
            line.request("POST", url.path or "/", body, headers)
            answer: HTTPResponse = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def _allowed(self, host: str, port: int) -> str:
        """The first address of the host that may be called."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(address[4][0]) for address in found]
        for address in addresses:
            if self._is_allowed(host, address):
                return address
        raise Refused(_FORBIDDEN)

    def _is_allowed(self, host: str, address: str) -> bool:
        if ip_address(address).is_global:
            return True
        words = self.settings.allowed_internal.replace(",", " ").split()
        return any(word == host or _holds(word, address) for word in words)


def _holds(word: str, address: str) -> bool:
    """Yes: this word of the list names that address, or a network around it."""
    try:
        return ip_address(address) in ip_network(word, strict=False)
    except ValueError:
        return False


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _failed(detail: str) -> Refusal:
    return Refusal("api.post.do_action.action_integration.app_error", detail)
