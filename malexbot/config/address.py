"""A server's address as operators write it, and the URLs that are made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from malexbot.config.fields import Line

SECURE = {"https": True, "wss": True, "http": False, "ws": False}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAME = re.compile(
    r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers; `secure` is None where no scheme was written."""

    secure: bool | None
    host: str
    port: int | None
    path: str

    def url(self, scheme: str, location: str) -> str:
        """The URL of `location` below this address; scheme is `http` or `ws`."""
        if self.path and location.startswith(f"{self.path}/"):
            path = location
        else:
            path = self.path + location
        tls = "" if self.secure is False else "s"
        port = f":{self.port}" if self.port else ""
        return f"{scheme}{tls}://{self.host}{port}{path}"

    def above(self, *locations: str) -> str:
        """The path without the first of these locations that it ends with."""
        for location in sorted(locations, key=len, reverse=True):
            if location and self.path.endswith(location):
                return self.path.removesuffix(location)
        return self.path


def parse_address(text: str) -> Address:
    """An address with or without scheme, port and path."""
    if re.search(r"[{}<>]", text):
        raise ValueError("still has a placeholder in it, not the name of a server")
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in SECURE:
        raise ValueError("needs https://, wss://, http:// or ws:// at its beginning")
    if not scheme and _is_ipv6(text):
        text = f"[{text}]"
    parts = _split(text if scheme else f"//{text}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user or a password in it; the token is enough")
    if parts.query or parts.fragment or re.search(r"\s", text):
        raise ValueError("is more than a server: no blanks, ? or # belong there")
    return Address(
        secure=SECURE[parts.scheme.lower()] if scheme else None,
        host=_host(parts.hostname or ""),
        port=_port(parts.netloc),
        path=location(parts.path),
    )


def _sound(text: str) -> str:
    parse_address(text)
    return text


ServerAddress = Annotated[Line, AfterValidator(_sound)]


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # Its own message repeats the address.
        raise ValueError(
            "needs the name of a server, such as chat.example.org"
        ) from None


def location(path: str) -> str:
    """A path with one slash at its beginning, none at its end; "" is the root."""
    parts = [part for part in path.split("/") if part]
    return "".join(f"/{part}" for part in parts)


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False


def _host(name: str) -> str:
    if _is_ipv6(name):
        return f"[{name}]"
    try:
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        name = ""
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("needs the name of a server, such as chat.example.org")
    return name


def _port(netloc: str) -> int | None:
    written = re.search(r":([^:\]]*)$", netloc)
    if not written or written[1] == "":
        return None
    number = int(written[1]) if re.fullmatch("[0-9]{1,5}", written[1]) else 0
    if not 1 <= number <= 65535:
        raise ValueError("needs a port from 1 to 65535 after the colon")
    return number
