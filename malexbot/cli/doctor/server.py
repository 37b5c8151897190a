"""Whether the server is there, and whether the way to it is sound."""

from __future__ import annotations

import os
import re
import socket
import ssl
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from ipaddress import ip_address
from urllib.parse import urlsplit

from malexbot.cli.doctor.checks import Check, Verdict, advice, fault, ok
from malexbot.cli.doctor.remedies import UNIT, gist
from malexbot.cli.doctor.visit import Visit
from malexbot.cli.report import lasted
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Failure, Unauthorised
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.socket import CA_VARIABLES

# A minute is read twice for events that come late; half of it may be the clocks'.
FAR_APART_S = 30.0
# So long before its end a certificate should be renewed.
RENEW_S = 14 * 86400.0
CONNECT_S = 3.0
WEB_SERVER = "System Console > Environment > Web Server"
# It may be right, and only be closed to this machine.
_CUT_OFF = "timed out|unreachable|No route"
# Of these one is the same at every address of one server.
_IDENTITIES = ("TelemetryId", "DiagnosticId")


def reach(visit: Visit) -> Sequence[Check]:
    """The way there, as far as anybody may go."""
    return (
        visit.check("proxy", _proxy),
        visit.check("server", _server, lack="the server did not answer"),
        visit.check("TLS", _tls, needs=("server",)),
        visit.check("clock", _clock, needs=("server",)),
    )


def site(visit: Visit) -> Check:
    """What the server believes its own address to be; only the bot is told."""
    return visit.check("SiteURL", _site, needs=("token",))


def _server(visit: Visit) -> Verdict:
    began = time.monotonic()
    try:
        visit.client.ping()
        took_ms = (time.monotonic() - began) * 1000
        visit.told = visit.client.client_config()
    except Failure as error:
        return fault(f"{visit.site}: {gist(error)}", visit.remedy(error))
    version = visit.told.get("Version", "of an unknown version")
    return ok(f"{visit.site}, Mattermost {version}, answers in {took_ms:.0f} ms")


# TLS.


def _tls(visit: Visit) -> Verdict:
    if not visit.is_secure:
        if _is_near(visit.host):
            return ok("none, and none is needed: the server is near")
        return advice(
            "none: whoever is on the way can read the token",
            "begin mattermost.http_host with https://; the server needs a proxy with a"
            f" certificate, or {WEB_SERVER} > Connection Security",
        )
    if visit.proxy:
        return ok("good; through a proxy the certificate's end is not seen")
    return _certificate(visit)


def _certificate(visit: Visit) -> Verdict:
    """That it is trusted is known by now."""
    port = urlsplit(visit.settings.api_url).port or 443
    try:
        ends = _ends(visit.host, port)
    except (OSError, ValueError):
        return ok("good; the certificate's end could not be read")
    left_s = (ends - datetime.now(timezone.utc)).total_seconds()
    if left_s < RENEW_S:
        return advice(
            f"the certificate ends in {lasted(left_s)}",
            "renew the certificate of the server, or of the proxy in front of it",
        )
    return ok(f"good, the certificate lasts {lasted(left_s)}")


def _ends(host: str, port: int) -> datetime:
    named = (os.environ.get(name) for name in CA_VARIABLES)
    bundle = next(filter(None, named), None)
    is_folder = bundle is not None and os.path.isdir(bundle)
    context = ssl.create_default_context(
        cafile=None if is_folder else bundle, capath=bundle if is_folder else None
    )
    with socket.create_connection((host, port), timeout=CONNECT_S) as line:
        with context.wrap_socket(line, server_hostname=host) as secured:
            told = secured.getpeercert() or {}
    ends_s = ssl.cert_time_to_seconds(str(told.get("notAfter", "")))
    return datetime.fromtimestamp(ends_s, timezone.utc)


def _is_near(host: str) -> bool:
    """Yes: what goes there stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# The proxy.


def _proxy(visit: Visit) -> Verdict:
    if not visit.proxy:
        return ok("none")
    scheme = urlsplit(visit.settings.api_url).scheme
    return advice(
        f"through {visit.proxy}, as this shell has it",
        f"the daemon goes by the environment of its own: {UNIT},"
        f" Environment={scheme.upper()}_PROXY={visit.proxy}",
    )


# The clocks.


def _clock(visit: Visit) -> Verdict:
    ahead_s = visit.client.server_now_ms() / 1000 - time.time()
    if abs(ahead_s) <= FAR_APART_S:
        return ok(f"{abs(ahead_s):.0f} s apart")
    which = "ahead of" if ahead_s > 0 else "behind"
    return fault(
        f"the server's clock is {lasted(abs(ahead_s))} {which} this machine's",
        "timedatectl on both tells which one is not synchronized;"
        " timedatectl set-ntp true there",
    )


# The SiteURL.


def _site(visit: Visit) -> Verdict:
    setting = f"{WEB_SERVER} > Site URL"
    said = visit.told.get("SiteURL", "").rstrip("/")
    if not said:
        return fault(
            "the server does not know its own address, so links and buttons do not"
            " work",
            f"{setting}: the address that people open, such as {visit.site}",
        )
    if said.lower() == visit.site.lower():
        return ok(said)
    return _elsewhere(visit, said, setting) or ok(
        f"{said}; we reach the same server by {visit.site}"
    )


def _elsewhere(visit: Visit, said: str, setting: str) -> Verdict | None:
    """What speaks against that address; None if it leads to the server.

    It is asked as a stranger: the token is for nobody else.
    """
    both = f"the server says {said}, we go by {visit.site}"
    cure = (
        f"{setting}: the address that people open; or, if that is right, make"
        " mattermost.http_host the same"
    )
    link = Link(url=f"{said}{visit.settings.api_location}", token="none")
    try:
        told = Client(link, patience_s=0, read_s=CONNECT_S).client_config()
    except Unauthorised:
        return None
    except Failure as error:
        shows = advice if re.search(_CUT_OFF, gist(error)) else fault
        return shows(
            f"{both}: the first does not answer from here ({gist(error)})", cure
        )
    finally:
        link.close()
    pairs = ((told.get(name), visit.told.get(name)) for name in _IDENTITIES)
    if any(there and here and there != here for there, here in pairs):
        return fault(f"{both}: the first is another server", cure)
    return None
