"""Who called, and how: as a proxy tells it that may be believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FOR = "HTTP_X_FORWARDED_FOR"
PROTO = "HTTP_X_FORWARDED_PROTO"
HOST = "HTTP_X_FORWARDED_HOST"
# Whoever reads one of these later cannot tell who wrote it; HTTP_PROXY is what CGI
# programs take for their own setting.
_CLAIMS = (
    FOR,
    PROTO,
    HOST,
    "HTTP_FORWARDED",
    "HTTP_PROXY",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
)


class Proxies:
    """WSGI: takes the word of trusted proxies, and every such word away after that."""

    def __init__(self, application: WSGIApplication, *, trusted: Iterable[str]) -> None:
        self._application = application
        self._trusted: Sequence[Network] = [ip_network(name) for name in trusted]

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        peer = read_address(environ.get("REMOTE_ADDR", ""))
        if self._trusts(peer):
            self._believe(environ)
        for claim in _CLAIMS:
            environ.pop(claim, None)
        return self._application(environ, start_response)

    def _believe(self, environ: WSGIEnvironment) -> None:
        caller = self._first_stranger(environ.get(FOR, ""))
        if caller is not None:
            environ["REMOTE_ADDR"] = str(caller)
        scheme = _last(environ.get(PROTO, ""))
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := _last(environ.get(HOST, "")):
            environ["HTTP_HOST"] = host

    def _first_stranger(self, forwarded: str) -> Address | None:
        """The last one that is no proxy of ours; what stands before him he wrote."""
        found = None
        for address in _backwards(forwarded):
            found = address
            if not self._trusts(address):
                break
        return found

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in net for net in self._trusted)


def read_address(text: str) -> Address | None:
    """An address with or without its port; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _backwards(forwarded: str) -> Iterator[Address]:
    """From the nearest on, as far as there are addresses."""
    for text in reversed(forwarded.split(",")):
        address = read_address(text)
        if address is None:
            return
        yield address


def _last(listed: str) -> str:
    """What the nearest proxy said."""
    return listed.rpartition(",")[2].strip()
