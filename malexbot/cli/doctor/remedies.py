"""What helps against a server that does not answer as it should."""

from __future__ import annotations

import re

from malexbot.messengers.mattermost.failures import (
    Busy,
    Failure,
    Rejected,
    Unauthorised,
)

UNIT = "systemctl edit malexbot, below [Service]"
TRUST = (
    "if a CA of your own signed it, the line"
    " Environment=REQUESTS_CA_BUNDLE=/path/to/ca.pem in"
    f" {UNIT}, and the same variable in this shell"
)
_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED|certificate verify failed"
# What the words of a line that failed mean, the most telling first.
_BY_WORDS = (
    (
        "certificate has expired",
        "renew the certificate of the server, or of the proxy in front of it",
    ),
    (
        r"[Hh]ostname mismatch|doesn't match|not valid for",
        "write the name that stands in the certificate to mattermost.http_host",
    ),
    (_CERTIFICATE, TRUST),
    (
        r"WRONG_VERSION_NUMBER|wrong version number|record layer failure",
        "no TLS is spoken there: begin mattermost.http_host with http://, or write"
        " the port that has TLS",
    ),
    (
        "HTTP request (was sent )?to an? HTTPS|to HTTPS port",
        "TLS is spoken there: begin mattermost.http_host with https://",
    ),
    (
        r"[Nn]ame or service not known|[Nn]ame resolution|No address|nodename",
        "is mattermost.http_host spelled right? getent hosts {host}",
    ),
    (
        "refused",
        "does Mattermost run there, and is the port in mattermost.http_host its own?",
    ),
    (
        r"timed out|unreachable|No route",
        "does a firewall stand between? curl -m 5 {url}/system/ping",
    ),
)
_NO_MATTERMOST = (
    "no Mattermost answers there: is mattermost.http_host right, with the path below"
    " which it is served?"
)


def remedy(error: Failure, *, host: str, url: str, proxy: str) -> str:
    """What to do about a call that failed; `url` is the API's."""
    if proxy and not error.status and not re.search(_CERTIFICATE, gist(error)):
        return (
            f"it goes through {proxy}: look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY of"
            f" this shell and of the daemon ({UNIT})"
        )
    if isinstance(error, Unauthorised) and not error.is_session_expired:
        return (
            "something in front of Mattermost refuses us: let it pass"
            " Authorization: Bearer on"
        )
    if 300 <= error.status < 400:
        return "write that address to mattermost.http_host, without /api/v4/…"
    if error.status in (502, 503, 504):
        return (
            "the proxy is there and Mattermost behind it is not:"
            " systemctl status mattermost on its machine"
        )
    if error.status == 429:
        return "System Console > Environment > Rate Limiting: allow more per second"
    for words, cure in _BY_WORDS:
        if re.search(words, gist(error)):
            return cure.format(host=host, url=url)
    if isinstance(error, (Busy, Rejected)):
        return _NO_MATTERMOST
    return f"curl -m 5 {url}/system/ping"


def gist(error: Failure) -> str:
    """What a person needs of its words."""
    told = error.answer
    if not told.status:
        return str(error.args[1])
    if "<" in told.message:
        return f"{told.status} and a page of HTML, which is a proxy's"
    return f"{told.status} {told.message}"
